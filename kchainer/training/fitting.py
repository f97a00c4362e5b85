"""``fit``: Chainer's own Trainer with its extensions, for a network that knows how it is trained."""

from __future__ import annotations

import os
import pathlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import chainer
import numpy as np
from chainer.training import extensions

from kchainer.files import atomic_write
from kchainer.training.compiled import ClassWeight, Step, from_compiled

Arrays = Any


class Batches(chainer.dataset.Iterator):
    """Rows of arrays in batches, in a new order each epoch; its place is saved with the trainer.

    ``arrays`` are groups (inputs, targets, weights), each a list of arrays or None.
    """

    def __init__(
        self,
        arrays: Sequence[list[Any] | None],
        batch_size: int,
        *,
        shuffle: bool,
        repeat: bool,
        seed: int | None,
    ) -> None:
        self.arrays, self.batch_size, self.shuffle, self.repeat = arrays, batch_size, shuffle, repeat
        lengths = {len(a) for group in arrays if group is not None for a in group}
        if len(lengths) != 1:
            raise ValueError(f"inputs and targets have different numbers of samples: {sorted(lengths)}")
        (self.size,) = lengths
        if not self.size:
            raise ValueError("there are no samples")
        self.random = np.random.RandomState(seed)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.epoch, self.at, self.is_new_epoch = 0, 0, False
        self.order = self._order()

    def _order(self) -> Any:
        return self.random.permutation(self.size) if self.shuffle else np.arange(self.size)

    @property
    def epoch_detail(self) -> float:
        """Epochs so far, with their part."""
        return self.epoch + self.at / self.size

    previous_epoch_detail = -1.0

    def __next__(self) -> list[Any]:
        if not self.repeat and self.epoch:
            raise StopIteration
        self.previous_epoch_detail = self.epoch_detail
        rows = self.order[self.at : self.at + self.batch_size]
        self.at += self.batch_size
        self.is_new_epoch = self.at >= self.size
        if self.is_new_epoch:
            self.epoch, self.at, self.order = self.epoch + 1, 0, self._order()
        return [None if group is None else [a[rows] for a in group] for group in self.arrays]

    next = __next__

    def serialize(self, serializer: Any) -> None:
        """The place in the epoch, its order, and the state of the random numbers."""
        self.at = int(serializer("at", self.at))
        self.epoch = int(serializer("epoch", self.epoch))
        self.is_new_epoch = bool(serializer("is_new_epoch", self.is_new_epoch))
        self.order = np.asarray(serializer("order", self.order))
        state: Any = self.random.get_state()
        kind, keys, place, has_gauss, gauss = state
        keys = np.asarray(serializer("keys", keys))
        place = int(serializer("place", place))
        self.random.set_state((kind, keys.astype(np.uint32), place, has_gauss, gauss))


class Updater(chainer.training.updaters.StandardUpdater):
    """One step of ``from_compiled`` for each batch."""

    def __init__(self, batches: Batches, step: Step, class_weight: ClassWeight | None) -> None:
        super().__init__(batches, step.optimizer)
        self.step, self.class_weight = step, class_weight

    def update_core(self) -> None:
        """The step; the loss and the metrics are reported."""
        batch = self.get_iterator("main").next()
        loss = self.step(*_unpacked(batch), class_weight=self.class_weight)
        chainer.reporter.report({"loss": loss, **_numbers(self.step.metrics)}, self.step.net)


class Evaluator(extensions.Evaluator):
    """Loss and metrics of data that is not trained on, each sample counted once."""

    def __init__(self, batches: Batches, step: Step) -> None:
        super().__init__(batches, step.net)
        self.step = step

    def evaluate(self) -> dict[str, Any]:
        """Means over the batches, weighted by their sizes, as Keras does."""
        batches = self.get_iterator("main")
        batches.reset()
        sums: dict[str, float] = {}
        count = 0
        for batch in batches:
            with chainer.using_config("train", False), chainer.no_backprop_mode():
                loss = float(self.step.loss(*_unpacked(batch)).array)
            size = len(batch[0][0])
            count += size
            for name, value in {"loss": loss, **_numbers(self.step.metrics)}.items():
                sums[name] = sums.get(name, 0.0) + value * size
        observation: dict[str, Any] = {}
        with chainer.reporter.report_scope(observation):
            chainer.reporter.report({k: v / count for k, v in sums.items()}, self.step.net)
        return observation


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if np.ndim(value) == 0}


def _unpacked(batch: list[Any]) -> tuple[Any, Any, Any]:
    inputs, targets, weights = batch
    return inputs, targets if len(targets) > 1 else targets[0], _single(weights)


def _single(weights: list[Any] | None) -> Any:
    return weights[0] if weights is not None and len(weights) == 1 else weights


def _listed(arrays: Any) -> list[Any] | None:
    if arrays is None:
        return None
    return list(arrays) if isinstance(arrays, (list, tuple)) else [arrays]


def snapshot(path: pathlib.Path) -> Callable[[Any], None]:
    """An extension that saves the whole trainer; a process that is killed leaves the old file or the new one."""

    def save(trainer: Any) -> None:
        with atomic_write(path) as file:
            chainer.serializers.save_npz(file, trainer)

    return save


def fit(
    net: Any,
    x: Arrays,
    y: Arrays,
    *,
    epochs: int = 1,
    batch_size: int = 32,
    sample_weight: Arrays = None,
    class_weight: ClassWeight | None = None,
    validation: tuple[Any, ...] | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: bool = True,
    extend: Sequence[Any] = (),
) -> list[dict[str, Any]]:
    """Train a network as its compiled settings say, by Chainer's Trainer.

    Args:
        net: a network of ``kchainer.load`` or of a compiled builder's model, or a ``Step``.
        x, y, sample_weight: arrays, lists of them for several inputs and outputs.
        validation: inputs and targets, perhaps weights, on which loss and metrics are measured after each epoch.
        seed: of the order of the samples.
        out: a folder for ``log`` and ``snapshot.npz``, which are written after each epoch; None: nothing is written.
        resume: go on from ``out``'s snapshot if there is one.
        progress: print a table and a progress bar.
        extend: more extensions of the trainer.

    Returns:
        What was measured, an entry for each epoch.
    """
    step = net if isinstance(net, Step) else from_compiled(net)
    batches = Batches(
        (_listed(x), _listed(y), _listed(sample_weight)), batch_size, shuffle=shuffle, repeat=True, seed=seed
    )
    folder = pathlib.Path(out) if out is not None else None
    updater = Updater(batches, step, class_weight)
    trainer = chainer.training.Trainer(updater, (epochs, "epoch"), out=str(folder) if folder else os.curdir)
    if validation is not None:
        given = [_listed(part) for part in (*validation, None)[:3]]
        held = Batches(given, batch_size, shuffle=False, repeat=False, seed=None)
        trainer.extend(Evaluator(held, step), name="validation")
    # its argument ``filename=None`` means the name "log"
    log = extensions.LogReport(trigger=(1, "epoch"), log_name="log" if folder else None)
    trainer.extend(log)
    if progress:
        trainer.extend(
            extensions.PrintReport(_columns(step, validation is not None), log_report=log, out=sys.stdout)
        )
        trainer.extend(extensions.ProgressBar(update_interval=10, out=sys.stdout))
    for one in extend:
        trainer.extend(one)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "snapshot.npz"
        trainer.extend(snapshot(path), name="snapshot", trigger=(1, "epoch"), priority=-100)
        if resume and path.exists():
            chainer.serializers.load_npz(path, trainer)
    trainer.run()
    return [dict(entry) for entry in log.log]


def _columns(step: Step, has_validation: bool) -> list[str]:
    return list(_names(step, has_validation))


def _names(step: Step, has_validation: bool) -> Iterator[str]:
    yield "epoch"
    for start in ("main/", "validation/main/")[: 1 + has_validation]:
        yield f"{start}loss"
        yield from (f"{start}{name}" for name, _, _ in step.measures)
    yield "elapsed_time"
