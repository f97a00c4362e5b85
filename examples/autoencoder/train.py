"""An autoencoder of digits: its network is networks.yaml, its loss is here."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import kchainer  # isort: skip  before Chainer, which it lets run on today's NumPy
import chainer
import chainer.functions as F

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402


def main() -> dict[str, float]:
    """Train, measure, draw."""
    args = common.arguments(__doc__, HERE / "networks.yaml", epochs=30, batch=100, rate=0.001)
    data = common.digits(args.mnist)
    random = np.random.RandomState(args.seed)
    net = common.networks(args, x=data.x.shape[1])
    kchainer.start_weight_normalization(net, data.x[:1000])
    optimizer = chainer.optimizers.Adam(args.rate, beta1=0.9).setup(net)
    optimizer.add_hook(chainer.optimizer_hooks.WeightDecay(1e-6))
    optimizer.add_hook(chainer.optimizer_hooks.GradientClipping(10))
    progress = common.Progress(args.epochs, len(data.x) // args.batch)
    for _ in range(args.epochs):
        for (x,) in common.batches(random, args.batch, data.x):
            loss = F.mean_squared_error(net(x), x)
            net.cleargrads()
            loss.backward()
            optimizer.update()
            progress.step(loss=loss.array)
        test_loss = float(((net.predict(data.test_x) - data.test_x) ** 2).mean())
        progress.epoch(test_loss=test_loss)
    common.curves(progress.history, args.out / "curves.png")
    shown = data.test_x[:50]
    common.pictures(
        np.concatenate([shown, net.predict(shown)]).clip(0, 1), data.side, args.out / "pictures.png"
    )
    results = {"test loss": test_loss, "variance of pixels": float(data.test_x.var(axis=0).mean())}
    common.report(results, args.out)
    return results


if __name__ == "__main__":
    main()
