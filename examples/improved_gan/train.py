"""Semi-supervised classification of digits by a GAN with feature matching.

The networks are networks.yaml; the objectives are here. Salimans et al. 2016, arXiv:1606.03498.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import kchainer  # isort: skip  before Chainer, which it lets run on today's NumPy
import chainer
import chainer.functions as F

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402


def discriminator_loss(net: Any, x_l: Any, y_l: Any, x_u: Any, made: Any) -> tuple[Any, Any]:
    """Cross entropy of the labelled batch; and log D of real, log (1 - D) of made ones, D = Z / (Z + 1)."""
    supervised = F.softmax_cross_entropy(net(x_l)[0], y_l)
    log_z, log_z_made = F.logsumexp(net(x_u)[0], axis=1), F.logsumexp(net(made)[0], axis=1)
    unsupervised = -F.mean(log_z - F.softplus(log_z)) + F.mean(F.softplus(log_z_made))
    return supervised, unsupervised


def feature_matching(net: Any, x_u: Any, made: Any) -> Any:
    """Squared distance between the mean features of real and made samples."""
    return F.mean_squared_error(F.mean(net(made)[1], axis=0), F.mean(net(x_u)[1], axis=0))


def error(net: Any, x: Any, y: Any) -> float:
    """The share of wrong labels."""
    return float((net.predict(x)[0].argmax(axis=1) != y).mean())


def baseline(args: Any, data: common.Data, x: Any, y: Any) -> float:
    """Test error of the same discriminator trained on the labelled samples only."""
    net = common.networks(args, x=data.x.shape[1]).discriminator
    optimizer = chainer.optimizers.Adam(args.rate, beta1=0.5).setup(net)
    for _ in range(args.epochs * (len(data.x) // args.batch)):
        optimizer.update(lambda: F.softmax_cross_entropy(net(2 * x - 1)[0], y))
    return error(net, 2 * data.test_x - 1, data.test_y)


def main() -> dict[str, float]:
    """Train, measure, draw."""
    args = common.arguments(__doc__, HERE / "networks.yaml", epochs=60, batch=100, labels=50, rate=0.001)
    data = common.digits(args.mnist)
    random = np.random.RandomState(args.seed)
    x_l, y_l = common.labelled_part(data, args.labels, args.seed)
    nets = common.networks(args, x=data.x.shape[1])
    size = nets.generator.plan.input_shapes[0][1]

    def noise(count: int) -> Any:
        return random.uniform(-1, 1, (count, size)).astype("f")

    d_optimizer = chainer.optimizers.Adam(args.rate, beta1=0.5).setup(nets.discriminator)
    g_optimizer = chainer.optimizers.Adam(args.rate, beta1=0.5).setup(nets.generator)
    progress = common.Progress(args.epochs, len(data.x) // args.batch)
    for _ in range(args.epochs):
        for (x_u,) in common.batches(random, args.batch, 2 * data.x - 1):
            chosen = random.randint(len(x_l), size=min(args.batch, len(x_l)))
            made = nets.generator(noise(args.batch))
            supervised, unsupervised = discriminator_loss(
                nets.discriminator, 2 * x_l[chosen] - 1, y_l[chosen], x_u, made.array
            )
            nets.discriminator.cleargrads()
            (supervised + unsupervised).backward()
            d_optimizer.update()
            loss = feature_matching(nets.discriminator, x_u, nets.generator(noise(args.batch)))
            nets.generator.cleargrads()
            loss.backward()
            g_optimizer.update()
            progress.step(supervised=supervised.array, unsupervised=unsupervised.array, generator=loss.array)
        progress.epoch(test_error=error(nets.discriminator, 2 * data.test_x - 1, data.test_y))
    common.curves(progress.history, args.out / "curves.png")
    common.pictures((nets.generator.predict(noise(100)) + 1) / 2, data.side, args.out / "samples.png")
    results = {
        "test error": progress.history["test_error"][-1],
        "supervised baseline": baseline(args, data, x_l, y_l),
    }
    common.report(results, args.out)
    return results


if __name__ == "__main__":
    assert kchainer
    main()
