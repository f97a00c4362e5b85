"""Several sequences with one optimizer, as chainer-sequential had them."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import chainer
import numpy as np

from kchainer.diagnostics import Diagnostic, KchainerError, suggestion
from kchainer.files import WeightFile, atomic_write, open_regular, sniff
from kchainer.frontends.builder.elements import wrong
from kchainer.training.networks import Sequential, sequences

# Chainer's rules have stayed the same since 1.24, so its own serve. momentum: the argument that it becomes.
OPTIMIZERS: dict[
    str, tuple[str, str | None, bool]
] = {  # class, argument of the momentum, takes a learning rate
    "adam": ("Adam", "beta1", True),
    "eve": ("Eve", "beta1", True),
    "adagrad": ("AdaGrad", None, True),
    "adadelta": ("AdaDelta", "rho", False),
    "nesterov": ("NesterovAG", "momentum", True),
    "nesterovag": ("NesterovAG", "momentum", True),
    "rmsprop": ("RMSprop", "alpha", True),
    "momentumsgd": ("MomentumSGD", "momentum", True),
    "sgd": ("SGD", None, True),
}
RATE = {"Adam": "alpha", "Eve": "alpha"}  # what the others call lr


def _optimizer(name: str, lr: float, momentum: float) -> chainer.GradientMethod:
    entry = OPTIMIZERS.get(name.lower())
    if entry is None:
        raise wrong(
            "setup_optimizers(...)", f"unknown optimizer `{name}`", code="KC201",
            hint=suggestion(name.lower(), list(OPTIMIZERS)) or f"known are {', '.join(OPTIMIZERS)}",
        )  # fmt: skip
    class_name, key, takes_rate = entry
    args: dict[str, Any] = {key: momentum} if key is not None else {}
    args |= {RATE.get(class_name, "lr"): lr} if takes_rate else {}
    if class_name == "Eve":
        from kchainer.optimizers import Eve

        return Eve(**args)
    return getattr(chainer.optimizers, class_name)(**args)


def _training(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """The arguments of ``setup_optimizers`` in a container's ``config``. Raises KchainerError."""
    keys = {"learning_rate": None, "momentum": 0.9, "weight_decay": 0, "gradient_clipping": 0}
    numbers = [config.get(key, default) for key, default in keys.items()]
    for key, value in zip(keys, numbers, strict=True):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong("Chain.from_json", f"`{key}` of config is no number: {value!r}")
    if not isinstance(config["optimizer"], str):
        raise wrong("Chain.from_json", "`optimizer` of config is no name")
    return (config["optimizer"], *numbers)


class Chain(chainer.Chain):
    """Sequences under one optimizer. Their links are registered here as ``<name>_<index>``.

    Args:
        weight_initializer, weight_std: for sequences that name none; None: Keras's for each layer.
    """

    def __init__(self, weight_initializer: str | None = None, weight_std: float | None = None) -> None:
        super().__init__()
        self.weight_initializer, self.weight_std = weight_initializer, weight_std
        self.sequences: dict[str, Any] = {}
        self.optimizer: chainer.GradientMethod | None = None

    def add_sequence(self, sequence: Any, name: str | None = None) -> Chain:
        """Add a sequence or model, built if its input's shape is known; else it joins at its first call.

        It is ``chain.<name>``; without a name it is what ``chain(x)`` calls, and its links are ``link_<index>``.
        """
        if isinstance(sequence, Sequential) and sequence.net is None and sequence.weight_initializer is None:
            sequence.weight_initializer = self.weight_initializer
            sequence.weight_std = self.weight_std if sequence.weight_std is None else sequence.weight_std
        attribute = "sequence" if name is None else name
        if attribute in self.sequences or hasattr(self, attribute):
            raise wrong("add_sequence(...)", f"the chain has a `{attribute}` already")
        self.sequences[attribute] = sequence
        setattr(self, attribute, sequence)
        sequence.build()
        sequence.when_built(lambda: self._register(sequence, "link" if name is None else name))
        return self

    @classmethod
    def from_json(cls, text: str) -> Chain:
        """A chain of all sequences of a file of chainer-sequential, with the optimizer that its ``config`` names.

        A sequence ``model`` is the one that ``chain(x)`` calls. Raises KchainerError.
        """
        found = sequences(text)
        if found is None:
            raise wrong(
                "Chain.from_json",
                "this is no file of chainer-sequential",
                hint="kchainer.read takes other files",
            )
        chain = cls()
        for name, sequence in found.items():
            chain.add_sequence(sequence, None if name == "model" else name)
        config = json.loads(text).get("config")
        if isinstance(config, dict) and "optimizer" in config:
            chain.setup_optimizers(*_training(config))
        return chain

    def add_sequence_with_name(self, sequence: Any, name: str = "link") -> Chain:
        """``add_sequence`` under a name."""
        return self.add_sequence(sequence, name)

    def _register(self, sequence: Any, prefix: str) -> None:
        groups = names(sequence)
        with self.init_scope():
            for attribute, link in sequence.net.named_plan_links():
                setattr(self, group_name(prefix, groups[sequence.net.plan.layers[attribute]]), link)
                if link.device != self.device:
                    link.to_device(self.device)
                if self.optimizer is not None:
                    for param in link.params():
                        param.update_rule = self.optimizer.create_update_rule()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the sequence that was added without a name."""
        if "sequence" not in self.sequences:
            raise wrong(
                "chain(...)", "the chain has no sequence without a name", hint="call chain.<name>(...)"
            )
        return self.sequences["sequence"](*args, **kwargs)

    def setup_optimizers(
        self, optimizer_name: str, lr: float, momentum: float = 0.9, weight_decay: float = 0,
        gradient_clipping: float = 0,
    ) -> chainer.GradientMethod:  # fmt: skip
        """One optimizer over all parameters of the chain.

        Args:
            optimizer_name: adam, eve, adagrad, adadelta, nesterov(ag), rmsprop, momentumsgd or sgd, in any case.
            lr: learning rate; AdaDelta has none.
            momentum: beta1 of Adam and Eve, rho of AdaDelta, alpha of RMSprop; AdaGrad and SGD have none.
            weight_decay: added to each gradient, times the parameter; biases and scales too.
            gradient_clipping: largest L2 norm of all gradients together, weight decay included.
        """
        self.optimizer = _optimizer(optimizer_name, lr, momentum)
        self.optimizer.setup(self)
        if weight_decay > 0:
            self.optimizer.add_hook(chainer.optimizer_hooks.WeightDecay(weight_decay))
        if gradient_clipping > 0:
            self.optimizer.add_hook(chainer.optimizer_hooks.GradientClipping(gradient_clipping))
        return self.optimizer

    def _ready(self) -> chainer.GradientMethod:
        if self.optimizer is None:
            raise wrong("chain", "the chain has no optimizer", hint="call setup_optimizers(...) first")
        return self.optimizer

    def backprop(self, loss: chainer.Variable | Callable[[], chainer.Variable]) -> None:
        """One update that lowers ``loss``: a Variable, or a function that returns one."""
        optimizer = self._ready()
        value = loss() if callable(loss) and not isinstance(loss, chainer.Variable) else loss
        self.cleargrads()
        value.backward()
        if hasattr(optimizer, "give_loss"):  # Eve's step depends on it
            optimizer.give_loss(value)
        optimizer.update()

    def update_learning_rate(self, lr: float) -> None:
        """Change the learning rate; AdaDelta has none."""
        optimizer = self._ready()
        key = RATE.get(type(optimizer).__name__, "lr")
        if hasattr(optimizer, key):
            setattr(optimizer, key, lr)

    def update_momentum(self, momentum: float) -> None:
        """Change what ``setup_optimizers`` takes as momentum."""
        optimizer = self._ready()
        keys = {class_name: key for class_name, key, _ in OPTIMIZERS.values()}
        key = keys[type(optimizer).__name__]
        if key is not None:
            setattr(optimizer, key, momentum)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all parameters and running statistics: HDF5 for names in .h5 and .hdf5, else ``.npz``.

        A killed run leaves the file that was there, or the new one. HDF5 needs h5py.
        """
        name = os.fspath(path)
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122  paths of any kind
        save = _save_hdf5 if suffix in (".h5", ".hdf5", ".hdf") else chainer.serializers.save_npz
        with atomic_write(path) as file:
            save(file, self)

    def load(self, path: str | os.PathLike[str]) -> bool:
        """Read what ``save`` or chainer-sequential wrote; the content tells the format.

        Returns:
            False where there is no such file, True otherwise.

        Raises:
            KchainerError: the file is damaged, or an array is missing, left over or of another shape.
        """
        if not os.path.exists(path):  # noqa: PTH110  paths of any kind
            return False
        fill(self, _arrays(path), os.fspath(path))
        return True


def names(sequence: Any) -> Mapping[str, str]:
    """The group of each layer of a built network: chainer-sequential's, else the layer's own name."""
    layers = sequence.net.plan.layers.values()
    return {layer: sequence.groups.get(layer, layer.replace("/", "_")) for layer in layers}


def group_name(prefix: str, group: str) -> str:
    """The name of a link in its chain. Residual blocks stood without their sequence's name in old files."""
    return f"{prefix}_{group}"


def _save_hdf5(file: Any, chain: chainer.Chain) -> None:
    try:
        import h5py
    except ImportError:
        raise wrong(
            "chain.save(...)",
            "HDF5 is written by h5py, which is not installed",
            code="KC906",
            hint="pip install h5py, or save to a name that ends in .npz",
        ) from None
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as whole:
        chainer.serializers.HDF5Serializer(whole).save(chain)
    file.write(buffer.getbuffer())


def _arrays(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Arrays of a file by path in the chain. Raises KchainerError."""
    name = os.fspath(path)
    file = open_regular(path)
    kind = sniff(file.read(512))
    file.seek(0)
    if kind == "hdf5":
        weights = WeightFile.open(file, name=name)
        return {one.lstrip("/"): weights.read(one) for one in weights.datasets()}
    if kind != "zip":
        raise _damaged(name, f"this is no weights file (content: {kind})")
    try:
        with file, np.load(file, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _damaged(name, f"the weights cannot be read: {error}") from None


def _damaged(name: str, message: str, **more: Any) -> KchainerError:
    return KchainerError(Diagnostic(code="KC905", message=message, file=name, **more))


def _places(chain: chainer.Chain) -> Iterator[tuple[str, Any]]:
    """Arrays of a chain by path; persistent values are (link, name)."""
    for path, param in chain.namedparams():
        yield path.lstrip("/"), param.array
    for path, link in chain.namedlinks():
        for name in link._persistent:
            yield f"{path}/{name}".lstrip("/"), (link, name)


def fill(chain: chainer.Chain, arrays: Mapping[str, Any], name: str) -> None:
    """Put arrays in place by path; nothing is changed where one does not fit. Raises KchainerError."""
    places = dict(_places(chain))
    arrays = {_renamed(key, places): value for key, value in arrays.items()}
    missing = [key for key in places if key not in arrays and not key.endswith("/N")]
    extra = [key for key in arrays if key not in places]
    if missing or extra:
        found = f"missing {', '.join(missing[:5]) or 'none'}; left over {', '.join(extra[:5]) or 'none'}"
        raise KchainerError(
            Diagnostic(
                code="KC401" if missing else "KC402",
                message="the file has other arrays than the chain",
                file=name,
                found=found,
            )
        )
    for key, place in places.items():
        shape = getattr(place if not isinstance(place, tuple) else getattr(*place), "shape", ())
        if key in arrays and np.shape(arrays[key]) != shape:
            raise KchainerError(
                Diagnostic(
                    code="KC403",
                    message=f"`{key}` has another shape in the file",
                    file=name,
                    found=str(list(np.shape(arrays[key]))),
                    expected=str(list(shape)),
                )
            )
    for key, place in places.items():
        if key not in arrays:
            continue
        if isinstance(place, tuple):
            link, attribute = place
            _persist(link, attribute, arrays[key])
        else:
            place[...] = chain.xp.asarray(arrays[key], dtype=place.dtype)


def _renamed(key: str, places: Mapping[str, Any]) -> str:
    """The path in the chain of a name in chainer-sequential's files."""
    if key.startswith("None_"):  # unnamed sequences of 2017-02 to 06
        key = "link_" + key.removeprefix("None_")
    if key.startswith("residual_"):  # without the sequence's name
        found = [place for place in places if place.endswith(f"_{key}")]
        return found[0] if len(found) == 1 else key
    return key


def _persist(link: chainer.Link, name: str, value: Any) -> None:
    have = getattr(link, name)
    if getattr(have, "ndim", 0):
        have[...] = link.xp.asarray(value, dtype=have.dtype)
    else:
        setattr(link, name, np.asarray(value).item())
