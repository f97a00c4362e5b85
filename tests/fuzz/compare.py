"""What Keras and kchainer make of a spec: outputs, gradients, weights after three steps."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import tempfile
from typing import Any

from tests.fuzz import specs  # before Keras
from tests.fuzz.specs import Json
from tests.parity import harness

import chainer  # isort: skip
import keras
import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import kchainer
from kchainer import api
from kchainer.backends.chainer.build import arrays_of
from kchainer.ir.spec import to_json

Array = harness.Array
Numbers = dict[str, Array]
RTOL = 1e-5
# Beyond it: so often Keras's own error against itself in float64, or what rounding each of its steps would change.
OWN_ERRORS = 8
RATE, STEPS = 0.01, 3
NOISE = ("Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout")
# Gradients that Keras on PyTorch parts otherwise, see docs/support.md.
FUSED = ("MultiHeadAttention", "GroupQueryAttention")
MASKS = ("Masking", "mask_zero")


@dataclasses.dataclass(frozen=True)
class Found:
    """A difference. kind: what differs; known: the fault of Keras on PyTorch that explains it."""

    kind: str
    text: str
    known: str = ""


class Discarded(Exception):
    """Keras itself computes nothing that can be compared."""


def has(spec: Json, words: tuple[str, ...]) -> bool:
    """Whether a layer or key of the spec has a word in its name."""
    text = json.dumps(spec)
    return any(word in text for word in words)


def _list(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _directions(spec: Json, ys: list[Array]) -> list[Array]:
    """The same random gradients of the outputs for both; so large that steps stay small."""
    rng = np.random.default_rng(spec["seed"] + 2)
    return [(rng.normal(size=y.shape) / max(y.size, 1) ** 0.5).astype(y.dtype) for y in ys]


def _keras_call(model: Any, xs: list[Array], training: bool, spec: Json) -> tuple[list[Array], list[Any]]:
    """Outputs and input tensors, backward done."""
    for variable in model.weights:
        variable.value.grad = None
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    made = _list(model(tensors if len(tensors) > 1 else tensors[0], training=training))
    ys = [y.detach().numpy().copy() for y in made]
    total = sum(
        ((y * torch.tensor(g)).sum() for y, g in zip(made, _directions(spec, ys), strict=True)),
        torch.zeros(()),
    )
    if total.requires_grad:
        total.backward()
    return ys, tensors


def of_keras(spec: Json, model: Any, dtype: str) -> Numbers:
    """Keras's numbers by name."""
    with specs.exactly(dtype):
        return _of_keras(spec, model, dtype)


def _of_keras(spec: Json, model: Any, dtype: str) -> Numbers:
    xs = [x.astype(dtype) if x.dtype.kind == "f" else x for x in specs.fed(spec)]
    noisy, out = has(spec, NOISE), {}
    for training in (False,) if noisy else (False, True):
        mode = "training" if training else "inference"
        ys, tensors = _keras_call(model, xs, training, spec)
        out |= {f"{mode}: output {i}": y for i, y in enumerate(ys)}
        for one, x, t in zip(spec["inputs"], xs, tensors, strict=True):
            if x.dtype.kind == "f":
                out[f"{mode}: gradient by {one['name']}"] = (
                    np.zeros_like(x) if t.grad is None else t.grad.numpy().copy()
                )
        out |= {
            f"{mode}: gradient by {v.path}": np.zeros(v.shape, dtype)
            if v.value.grad is None
            else v.value.grad.numpy().copy()
            for v in model.trainable_weights
        }
    if not noisy:
        for step in range(STEPS):
            if step:
                _keras_call(model, xs, True, spec)
            for v in model.trainable_weights:
                if v.value.grad is not None:
                    v.assign(v.numpy() - np.asarray(RATE, dtype) * v.value.grad.numpy())
        out |= {f"steps: {v.path}": v.numpy().copy() for v in model.weights if "float" in str(v.dtype)}
    return out


def _chainer_call(net: Any, spec: Json, training: bool) -> tuple[list[Array], list[Any]]:
    variables = [chainer.Variable(x, requires_grad=x.dtype.kind == "f") for x in specs.fed(spec)]
    with chainer.using_config("train", training):
        made = [chainer.as_variable(y) for y in _list(net(*variables))]
        ys = [y.array for y in made]
        net.cleargrads()
        total: Any = 0
        for y, g in zip(made, _directions(spec, ys), strict=True):
            if y.dtype.kind == "f":
                total = total + chainer.functions.sum(y * g)
        if isinstance(total, chainer.Variable) and total.requires_grad:
            total.backward()
    return ys, variables


class Rounding(TorchDispatchMode):
    """What each operation of PyTorch gives, backwards too, is moved by half a step of float32."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if any(one.alias_info is not None for one in func._schema.returns):  # views, and what writes in place
            return made
        return torch.utils._pytree.tree_map(self._moved, made)

    def _moved(self, x: Any) -> Any:
        if not isinstance(x, torch.Tensor) or x.dtype != torch.float64:
            return x
        signs = torch.randint(0, 2, x.shape, generator=self.random) * 2 - 1
        return x.mul_(1 + 2.0**-24 * signs)  # in its place, whose strides convolutions ask for


def _rounded(spec: Json, seed: int) -> Numbers:
    """Keras's numbers in float64, each of its steps rounded as float32 might round it."""
    model = specs.model(spec, "float64")
    try:
        with Rounding(seed):
            return of_keras(spec, model, "float64")
    except RuntimeError as problem:  # some convolutions refuse the layout of their own arrays when called so
        if "contiguous" not in str(problem):
            raise
        raise Discarded(f"PyTorch cannot round it: {problem}") from problem


def _near(a: Array, b: Array) -> Any:
    """Where values are equal but for rounding."""
    return np.abs(a - b) <= 3e-7 * np.abs(b).max(initial=0)


def _crowded(values: Array) -> bool:
    ordered = np.sort(values)
    return bool(_near(ordered[1:], ordered[:-1]).any())


class Ties(chainer.FunctionHook):
    """Whether a maximum or minimum of a network's calls is there more than once, but for rounding."""

    name = "ties"
    found = False

    def forward_preprocess(self, function: Any, in_data: tuple[Any, ...]) -> None:
        """Look at what a function is given."""
        x = in_data[0]
        match type(function).__name__:
            case "Maximum" | "Minimum":
                self.found |= bool(_near(x, in_data[1]).any())
            case "Max" | "Min" as name:
                ends = getattr(x, name.lower())(axis=function.axis, keepdims=True)
                self.found |= bool((_near(x, ends).sum(axis=function.axis) > 1).any())
            case name if name.startswith("MaxPooling"):
                self.found |= any(_crowded(plane.ravel()) for one in x for plane in one)


def of_chainer(spec: Json, net: Any, paths: dict[str, str]) -> Numbers:
    """The same of Chainer; ``paths``: Keras's path of a variable to ours."""
    noisy, out = has(spec, NOISE), {}
    optimizer = chainer.optimizers.SGD(lr=RATE).setup(net)
    for training in (False,) if noisy else (False, True):
        mode = "training" if training else "inference"
        ys, variables = _chainer_call(net, spec, training)
        out |= {f"{mode}: output {i}": y for i, y in enumerate(ys)}
        for one, v in zip(spec["inputs"], variables, strict=True):
            if v.dtype.kind == "f":
                out[f"{mode}: gradient by {one['name']}"] = (
                    np.zeros_like(v.array) if v.grad is None else v.grad
                )
        gradients = harness._gradients(net)
        have = arrays_of(net)
        out |= {
            f"{mode}: gradient by {path}": gradients.get(own, np.zeros_like(have[own])).copy()
            for path, own in paths.items()
        }
    if not noisy:
        for step in range(STEPS):
            if step:
                _chainer_call(net, spec, True)
            optimizer.update()
        have = arrays_of(net)
        out |= {f"steps: {path}": have[own] for path, own in paths.items()}
    return out


def paths_of(start: Numbers, net: Any) -> dict[str, str]:
    """Keras's paths of variables to ours: all values are random, so the equal ones are the same."""
    have = arrays_of(net)
    out = {}
    for path, value in start.items():
        same = [
            own for own, array in have.items() if array.shape == value.shape and np.array_equal(array, value)
        ]
        if not same:
            continue  # no output needs the layer; ``differences`` asks that Keras does not change it
        by_name = harness.ours(path, have)
        out[path] = by_name if by_name in same else same[0]
    return out


def saved(spec: Json, model: Any, folder: pathlib.Path) -> list[str]:
    """The paths of what ``kchainer.read`` is given."""
    kind = spec.get("format", "keras")
    if kind == "json":
        (folder / "model.json").write_text(model.to_json())
        model.save_weights(folder / "model.weights.h5")
        return [str(folder / "model.json"), str(folder / "model.weights.h5")]
    model.save(folder / f"model.{kind}")
    return [str(folder / f"model.{kind}")]


def error(got: Array, wanted: Array) -> float:
    """The largest difference in units of the largest value wanted."""
    scale = float(np.abs(wanted).max(initial=0)) or 1.0
    return float(np.abs(got.astype("float64") - wanted.astype("float64")).max(initial=0)) / scale


def _round_trip(read: Any, net: Any, xs: list[Array]) -> str:
    """What changes when the IR is written as JSON and read again, and when the printed source runs."""
    text = json.dumps(to_json(read))
    again = dataclasses.replace(api.from_spec(text), arrays=read.arrays)
    if json.dumps(to_json(again)) != text:
        return "the IR's JSON is another after a round trip"
    first = [np.asarray(y) for y in _list(net.predict(*xs))]
    second = _list(api.to_chainer(again).predict(*xs))
    if not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)):
        return "the network of the IR's JSON computes other numbers"
    space: dict[str, Any] = {}
    exec(api.to_source(read), space)  # the program under test
    program = space["Net"]()
    for name, link in net.named_plan_links():
        getattr(program, name).copyparams(link)
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        third = [chainer.as_variable(y).array for y in _list(program(*xs))]
    if not all(np.array_equal(a, b) for a, b in zip(first, third, strict=True)):
        return "the printed source computes other numbers"
    return ""


def _known(spec: Json, key: str, tied: bool) -> str:
    if ": output" in key and not key.startswith("training"):
        return ""
    if ("gradient" in key or "steps" in key) and tied:
        return "tied maxima"
    if (
        ("gradient" in key or "steps" in key)
        and has(spec, FUSED)
        and (has(spec, MASKS) or has(spec, ("causal",)))
    ):
        return "fused attention of masked queries"
    return ""


def _is_nothing(key: str, ours: Array, exact: Numbers) -> bool:
    """A gradient that is zero but for rounding (before a normalisation of few values): within 1e-6 of the largest of the call."""
    mode, _, what = key.partition(": ")
    if not what.startswith("gradient"):
        return False
    largest = max(
        float(np.abs(v).max(initial=0)) for k, v in exact.items() if k.startswith(f"{mode}: gradient")
    )
    return float(np.abs(ours - exact[key]).max(initial=0)) <= 1e-6 * largest


def differences(
    spec: Json, got: Numbers, wanted: Numbers, start: Numbers, *, tied: bool = False
) -> Found | None:
    """The first number that differs by more than rounding explains.

    Args:
        start: the weights before.
        tied: several values were the largest somewhere: Keras on PyTorch parts their gradient otherwise.
    """
    exact: Numbers | None = None
    beside: list[Numbers] = []
    for key, value in wanted.items():
        if key not in got:
            if value.any() if "gradient" in key else not np.array_equal(value, start[key.partition(": ")[2]]):
                return Found("weights", f"{key}: no such weight, but Keras changes it")
            continue
        ours = got[key]
        if ours.shape != value.shape or ours.dtype != value.dtype:
            return Found("shape", f"{key}: {ours.shape} {ours.dtype}, wanted {value.shape} {value.dtype}")
        off = error(ours, value)
        if off <= RTOL:
            continue
        if exact is None:
            exact = of_keras(spec, specs.model(spec, "float64"), "float64")
        own, real = error(value, exact[key]), error(ours, exact[key])
        if real <= max(RTOL, OWN_ERRORS * own) or _is_nothing(key, ours, exact):
            continue
        beside = beside or [_rounded(spec, seed) for seed in range(2)]
        if real <= OWN_ERRORS * max(error(one[key], exact[key]) for one in beside):
            continue
        text = f"{key}: {off:.1e} of its scale; from float64 {real:.1e}, Keras {own:.1e}"
        return Found(key.partition(":")[0], text, _known(spec, key, tied))
    return None


def _finite(spec: Json, model: Any) -> Numbers:
    try:
        wanted = of_keras(spec, model, "float32")
    except Exception as problem:
        raise Discarded(f"Keras cannot run it: {problem}") from problem
    if not all(np.isfinite(v).all() for v in wanted.values()):
        raise Discarded("Keras's numbers are not finite")
    return wanted


def compared(spec: Json) -> Found | None:
    """The difference of a spec, None where there is none. Raises Discarded."""
    model = specs.model(spec)
    xs = specs.fed(spec)
    with tempfile.TemporaryDirectory() as name:
        try:
            files = saved(spec, model, pathlib.Path(name))
        except Exception as problem:
            raise Discarded(f"Keras cannot save it: {problem}") from problem
        start = {v.path: v.numpy().copy() for v in model.weights if "float" in str(v.dtype)}
        wanted = _finite(spec, model)
        try:
            read = api.read(*files)
            net = api.to_chainer(read)
        except kchainer.KchainerError as refused:
            if error_of_keras := _loads(files):
                raise Discarded(f"Keras cannot load it: {error_of_keras}") from refused
            return Found("refused", "; ".join(f"{d.code} {d.message}" for d in refused.diagnostics)[:300])
        except Exception as crash:  # noqa: BLE001  any is a bug
            return Found("crash", f"{type(crash).__name__} while it was read: {crash}"[:300])
        try:
            paths = paths_of(start, net)
            if told := _round_trip(read, net, xs):
                return Found("round trip", told)
        except Exception as crash:  # noqa: BLE001
            return Found("crash", f"{type(crash).__name__}: {crash}"[:300])
    try:
        with Ties() as ties:
            ours = of_chainer(spec, net, paths)
        return differences(spec, ours, wanted, start, tied=ties.found)
    except Discarded:
        raise
    except Exception as crash:  # noqa: BLE001
        return Found("crash", f"{type(crash).__name__} while it ran: {crash}"[:300])


def _loads(files: list[str]) -> str:
    """Keras's error when it loads its own file."""
    if len(files) > 1:
        return ""
    try:
        keras.saving.load_model(files[0])
    except Exception as problem:  # noqa: BLE001
        return f"{type(problem).__name__}: {problem}"[:200]
    return ""
