"""A converted Keras model trained further: a net that tells faces by sex learns digits.

The model is gender_mini_XCEPTION (Keras 2.0.5, MIT licence; see tests/fixtures/real-models/README.md). Its last
convolution is replaced; the layers before it are frozen at first and trained with a small rate after that. How the
layers hang together is the file's; what is trained, and how, is here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import kchainer  # isort: skip  before Chainer, which it lets run on today's NumPy
import chainer
import chainer.functions as F
import chainer.links as L

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402

MODELS = HERE.parent.parent / "tests/fixtures/real-models/face_classification/gender_models"
LAYER = "add_4"  # the last one that knows nothing of faces' classes


class Digits(chainer.Chain):
    """The converted net up to ``LAYER``, and a new head."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        with self.init_scope():
            self.body, self.head = body, L.Linear(128, 10)

    def forward(self, x: Any) -> Any:
        # its batch normalisation keeps the statistics of faces: too few steps are made here to learn others
        with chainer.using_config("train", False):
            (features,) = self.body(x, outputs=[LAYER])  # (N, 4, 4, 128), in Keras's order
        return self.head(F.mean(features, axis=(1, 2)))


def as_faces(x: Any, side: int) -> Any:
    """Pictures as the net takes them: 64 x 64 x 1, pixels in [-1, 1]."""
    pictures = chainer.functions.resize_images(x.reshape(-1, 1, side, side), (64, 64)).array
    return (2 * pictures - 1).transpose(0, 2, 3, 1)


def error(net: Any, x: Any, y: Any) -> float:
    """The share of wrong labels."""
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        steps = [slice(i, i + 100) for i in range(0, len(x), 100)]
        wrong = [net(x[step]).array.argmax(axis=1) != y[step] for step in steps]
    return float(np.concatenate(wrong).mean())


def main() -> dict[str, float]:
    """Train, measure, draw."""
    args = common.arguments(
        __doc__,
        MODELS / "gender_mini_XCEPTION.21-0.95.hdf5",
        epochs=10,
        batch=50,
        labels=500,
        rate=0.01,
        held_out=500,
    )
    np.random.seed(args.seed)
    data, random = common.digits(args.mnist), np.random.RandomState(args.seed)
    x, y = common.labelled_part(data, args.labels, args.seed)
    x, test_x = as_faces(x, data.side), as_faces(data.test_x[: args.held_out], data.side)
    test_y = data.test_y[: args.held_out]
    net = Digits(kchainer.load(args.spec))
    net.body.disable_update()
    optimizer = chainer.optimizers.Adam(args.rate).setup(net)
    progress = common.Progress(args.epochs, len(x) // args.batch)
    results = {}
    for epoch in range(args.epochs):
        if epoch == args.epochs // 2:
            results["head only"] = error(net, test_x, test_y)
            net.body.enable_update()
            optimizer.alpha = args.rate / 10
        for images, labels in common.batches(random, args.batch, x, y):
            loss = F.softmax_cross_entropy(net(images), labels)
            net.cleargrads()
            loss.backward()
            optimizer.update()
            progress.step(loss=loss.array)
        progress.epoch(test_error=error(net, test_x, test_y))
    common.curves(progress.history, args.out / "curves.png")
    results["all layers"] = progress.history["test_error"][-1]
    common.report({f"test error, {name}": value for name, value in results.items()}, args.out)
    return results


if __name__ == "__main__":
    main()
