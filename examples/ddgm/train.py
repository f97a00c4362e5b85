"""An energy model and a generator that samples from it, on points in the plane.

The networks are networks.yaml; both objectives are here. Kim & Bengio 2016, arXiv:1606.03439.
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

MODES, RADIUS, SPREAD = 8, 2.0, 0.05


def data_points(random: np.random.RandomState, count: int) -> Any:
    """Points of eight Gaussians on a circle."""
    angle = 2 * np.pi * random.randint(MODES, size=count) / MODES
    centre = RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (centre + SPREAD * random.standard_normal((count, 2))).astype("f")


def energy(nets: Any, x: Any) -> Any:
    """E(x), (N,)."""
    experts = F.sum(F.softplus(nets.experts(nets.features(x))), axis=1)
    return F.sum(x**2, axis=1) - F.reshape(nets.b(x), (-1,)) - experts


def entropy(generator: Any) -> Any:
    """The generator's entropy as its BatchNormalization layers tell it."""
    gammas = [link.gamma for link in generator.links() if hasattr(link, "gamma")]
    return sum(F.sum(0.5 * F.log(2 * np.e * np.pi * gamma**2 + 1e-8)) for gamma in gammas)


def modes_reached(points: Any) -> tuple[int, float]:
    """How many of the eight are near enough to samples, and the share of samples near one."""
    angles = 2 * np.pi * np.arange(MODES) / MODES
    centres = RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distance = np.linalg.norm(points[:, None] - centres[None], axis=2)
    near = distance.min(axis=1) < 10 * SPREAD
    counts = np.bincount(distance.argmin(axis=1)[near], minlength=MODES)
    return int((counts > len(points) / MODES / 10).sum()), float(near.mean())


def main() -> dict[str, float]:
    """Train, measure, draw."""
    args = common.arguments(__doc__, HERE / "networks.yaml", epochs=40, updates=100, batch=100, rate=0.0002)
    random = np.random.RandomState(args.seed)
    nets = common.networks(args)
    size = nets.generator.plan.input_shapes[0][1]

    def noise(count: int) -> Any:
        return random.uniform(-1, 1, (count, size)).astype("f")

    energies = chainer.ChainList(nets.features, nets.experts, nets.b)
    start = data_points(random, 10 * args.batch)
    kchainer.start_weight_normalization(nets.features, start)
    kchainer.start_weight_normalization(nets.experts, nets.features(start).array)
    optimizers = []
    for target in (energies, nets.generator):
        optimizer = chainer.optimizers.Adam(args.rate, beta1=0.5).setup(target)
        optimizer.add_hook(chainer.optimizer_hooks.GradientClipping(10))
        optimizers.append(optimizer)
    progress = common.Progress(args.epochs, args.updates)
    for _ in range(args.epochs):
        for _ in range(args.updates):
            x, made = data_points(random, args.batch), nets.generator(noise(args.batch))
            loss = F.mean(energy(nets, x)) - F.mean(energy(nets, made.array))
            energies.cleargrads()
            loss.backward()
            optimizers[0].update()
            made = nets.generator(noise(args.batch))
            loss_g = F.mean(energy(nets, made)) - entropy(nets.generator)
            nets.generator.cleargrads()
            loss_g.backward()
            optimizers[1].update()
            progress.step(energy_loss=loss.array, generator_loss=loss_g.array)
        reached, near = modes_reached(nets.generator.predict(noise(1000)))
        progress.epoch(modes=reached, near=near)
    common.curves(progress.history, args.out / "curves.png")
    samples = nets.generator.predict(noise(1000))
    common.points({"data": data_points(random, 1000), "samples": samples}, args.out / "samples.png")
    results = {"modes reached of 8": float(reached), "samples near a mode": near}
    common.report(results, args.out)
    return results


if __name__ == "__main__":
    main()
