"""Semi-supervised classification of digits by an auxiliary deep generative model, or by its Gumbel-softmax variant.

The networks are networks.yaml; the objective is here. Maaloe et al. 2016, arXiv:1602.05473; Jang et al. 2016,
arXiv:1611.01144 for the variant, in which a sample of y stands where the bound sums over all classes.
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

LOW, HIGH = np.log(0.01), np.log(10)  # of the logarithm of a variance in a density


def log_normal(x: Any, mean: Any, ln_var: Any) -> Any:
    """The logarithm of a diagonal Gaussian's density at ``x``, (N,)."""
    ln_var = F.clip(ln_var, LOW, HIGH)
    return -0.5 * F.sum(np.log(2 * np.pi) + ln_var + (x - mean) ** 2 * F.exp(-ln_var), axis=1)


def log_unit_normal(x: Any) -> Any:
    """The same for mean 0 and variance 1."""
    return -0.5 * F.sum(np.log(2 * np.pi) + x**2, axis=1)


def log_bernoulli(x: Any, logits: Any) -> Any:
    """The logarithm of the probability of binary pixels, (N,)."""
    return -F.sum(F.softplus(logits) - x * logits, axis=1)


class Model:
    """The bound of ADGM on five networks."""

    def __init__(self, nets: Any, classes: int) -> None:
        self.nets, self.classes = nets, classes

    def bound(self, x: Any, y: Any, a: Any, log_q_a: Any) -> Any:
        """log p(x, y, a, z) - log q(z, a | x, y) for samples of z, (N,)."""
        nets = self.nets
        z_mean, z_ln_var = nets.q_z_axy(a, x, y)
        z = F.gaussian(z_mean, z_ln_var)
        a_mean, a_ln_var = nets.p_a_xyz(x, y, z)
        evidence = log_bernoulli(x, nets.p_x_yz(y, z)) - np.log(self.classes)
        evidence += log_normal(a, a_mean, a_ln_var) + log_unit_normal(z)
        return evidence - log_normal(z, z_mean, z_ln_var) - log_q_a

    def sample_a(self, x: Any) -> tuple[Any, Any]:
        """A sample of q(a | x), and the logarithm of its density."""
        mean, ln_var = self.nets.q_a_x(x)
        a = F.gaussian(mean, ln_var)
        return a, log_normal(a, mean, ln_var)

    def labelled(self, x: Any, y: Any) -> tuple[Any, Any]:
        """The mean bound of labelled samples, and the classifier's loss."""
        a, log_q_a = self.sample_a(x)
        bound = F.mean(self.bound(x, np.eye(self.classes, dtype="f")[y], a, log_q_a))
        logits = self.nets.q_y_ax(self.sample_a(x)[0], x)
        return bound, F.softmax_cross_entropy(logits, y)

    def marginal(self, x: Any) -> Any:
        """The mean bound of unlabelled samples, y summed out."""
        n, k = len(x), self.classes
        log_q = F.log_softmax(self.nets.q_y_ax(self.sample_a(x)[0], x))
        many = np.repeat(x, k, axis=0)
        a, log_q_a = self.sample_a(many)
        bounds = F.reshape(self.bound(many, np.tile(np.eye(k, dtype="f"), (n, 1)), a, log_q_a), (n, k))
        return F.mean(F.sum(F.exp(log_q) * (bounds - log_q), axis=1))

    def gumbel(self, x: Any, temperature: float) -> Any:
        """The mean bound of unlabelled samples with a relaxed sample of y."""
        logits = self.nets.q_y_ax(self.sample_a(x)[0], x)
        y = F.gumbel_softmax(logits, temperature)
        log_q = F.sum(y * F.log_softmax(logits), axis=1)
        a, log_q_a = self.sample_a(x)
        return F.mean(self.bound(x, y, a, log_q_a) - log_q)

    def error(self, x: Any, y: Any) -> float:
        """The share of wrong labels, by the mean of q(a | x)."""
        with chainer.using_config("train", False), chainer.no_backprop_mode():
            logits = self.nets.q_y_ax(self.nets.q_a_x(x)[0], x).array
        return float((logits.argmax(axis=1) != y).mean())


def binarised(random: np.random.RandomState, x: Any) -> Any:
    """Pixels drawn anew, 1 with the probability that the pixel says."""
    return (x > random.uniform(size=x.shape)).astype("f")


def baseline(args: Any, data: common.Data, x: Any, y: Any) -> float:
    """Test error of q(y | a, x) with a = 0, trained on the labelled samples only."""
    nets = common.networks(args, x=data.x.shape[1])
    net, random = nets.q_y_ax, np.random.RandomState(args.seed)
    zeros = lambda n: np.zeros((n, net.plan.input_shapes[0][1]), "f")  # noqa: E731
    optimizer = chainer.optimizers.Adam(args.rate).setup(net)
    for _ in range(args.epochs * args.updates):
        optimizer.update(lambda: F.softmax_cross_entropy(net(zeros(len(x)), binarised(random, x)), y))
    wrong = net.predict(zeros(len(data.test_x)), data.test_x).argmax(axis=1) != data.test_y
    return float(wrong.mean())


def main() -> dict[str, float]:
    """Train, measure, draw."""
    args = common.arguments(
        __doc__,
        HERE / "networks.yaml",
        epochs=20,
        updates=50,
        batch=100,
        labels=50,
        rate=0.0003,
        objective="marginal",
    )
    data = common.digits(args.mnist)
    random = np.random.RandomState(args.seed)
    x_l, y_l = common.labelled_part(data, args.labels, args.seed)
    nets = common.networks(args, x=data.x.shape[1])
    model = Model(nets, 10)
    optimizer = chainer.optimizers.Adam(args.rate).setup(nets)
    optimizer.add_hook(chainer.optimizer_hooks.GradientClipping(10))
    progress = common.Progress(args.epochs, args.updates)
    temperature = 1.0
    for _ in range(args.epochs):
        for _ in range(args.updates):
            chosen = random.randint(len(x_l), size=min(args.batch, len(x_l)))
            unlabelled = binarised(random, data.x[random.randint(len(data.x), size=args.batch)])
            bound_l, loss = model.labelled(binarised(random, x_l[chosen]), y_l[chosen])
            bound_u = (
                model.gumbel(unlabelled, temperature)
                if args.objective == "gumbel"
                else model.marginal(unlabelled)
            )
            nets.cleargrads()
            (loss - bound_l - bound_u).backward()
            optimizer.update()
            progress.step(bound_labelled=bound_l.array, bound_unlabelled=bound_u.array, classifier=loss.array)
        temperature = max(0.5, temperature * 0.999)
        progress.epoch(test_error=model.error(data.test_x, data.test_y))
    common.curves(progress.history, args.out / "curves.png")
    z = random.standard_normal((100, nets.p_x_yz.plan.input_shapes[1][1])).astype("f")
    logits = nets.p_x_yz.predict(np.repeat(np.eye(10, dtype="f"), 10, axis=0), z)
    common.pictures(1 / (1 + np.exp(-logits)), data.side, args.out / "samples.png")
    results = {
        "test error": progress.history["test_error"][-1],
        "supervised baseline": baseline(args, data, x_l, y_l),
        "bound": progress.history["bound_unlabelled"][-1],
    }
    common.report(results, args.out)
    return results


if __name__ == "__main__":
    assert kchainer
    main()
