"""A converted model as a folder: the checked model, its weights, the program, and a test vector."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kchainer.api import plans_of, read, to_source
from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.emit.plan import Plan
from kchainer.files import DEFAULT, Limits, NpzFile, atomic_directory
from kchainer.ir.graph import Model

FILES = ("model.json", "weights.npz", "model.py", "check.npz")
# Unknown sizes of a test vector's inputs.
SIZE, BATCH, SEED = 32, 2, 2016
# Values of each layer's output that a digest holds beside mean and standard deviation.
SAMPLES = 6
TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """One file of a bundle, for the table that ``convert`` prints."""

    name: str
    size: int
    what: str


def test_inputs(plan: Plan) -> list[Any]:
    """Inputs by which a bundle is checked: seeded, small whole numbers where the network wants those."""
    import numpy as np

    random = np.random.default_rng(SEED)
    out = []
    rows = _numbers_of_rows(plan)
    for value, shape, dtype in zip(plan.inputs, plan.input_shapes, plan.input_dtypes, strict=True):
        sizes = [BATCH if i == 0 else SIZE if d is None else d for i, d in enumerate(shape)]
        if dtype.startswith(("int", "uint")) or value in rows:
            out.append(random.integers(0, 2, sizes).astype("int32"))
        else:
            out.append(random.standard_normal(sizes).astype("float32"))
    return out


def _numbers_of_rows(plan: Plan) -> set[int]:
    """Inputs that end as numbers of an embedding's rows, whatever dtype the file gives them."""
    origins: dict[int, set[int]] = {value: {value} for value in plan.inputs}
    out: set[int] = set()
    for step in plan.steps:
        known: set[int] = set().union(*(origins.get(i, set()) for i in step.inputs))
        if step.link is None:
            origins[step.output] = known
        elif plan.links[step.link].target.endswith(".EmbedID"):
            out |= known
    return out


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One network of a bundle; its arrays in ``check.npz`` are named with ``prefix`` before."""

    prefix: str
    net: Any


def build(model: Model, *, zeros: bool = False) -> tuple[Any, list[Part]]:
    """The network of a model, or a chain of its networks, and each of them."""
    from kchainer.backends.chainer import Networks
    from kchainer.backends.chainer import build as built

    parts = model.parts()
    plans = {name: dataclasses.replace(plan, is_linear=False) for name, plan in plans_of(model).items()}
    nets = {name: built(parts[name], plan, zeros=zeros) for name, plan in plans.items()}
    if len(nets) == 1:
        (net,) = nets.values()
        return net, [Part("", net)]
    return Networks(nets), [Part(f"{name}/", net) for name, net in nets.items()]


def parts_of(net: Any) -> list[Part]:
    """The networks of what ``build`` made."""
    networks = getattr(net, "attributes", None)
    return [Part("", net)] if networks is None else [Part(f"{name}/", net[name]) for name in networks]


def write(model: Model, out: str | os.PathLike[str]) -> list[Written]:
    """Write the bundle. Nothing of it is left where something fails.

    Raises:
        KchainerError: the folder cannot be written, or the network cannot be built.
    """
    import chainer

    from kchainer.ir.spec import to_json

    net, parts = build(model)
    written = []
    with atomic_directory(out) as folder:
        for name, what, data in (
            ("model.json", "the checked model", json.dumps(to_json(model), indent=1).encode()),
            ("model.py", "the same network as Chainer source", to_source(model).encode()),
        ):
            (folder / name).write_bytes(data)
            written.append(Written(name, len(data), what))
        chainer.serializers.save_npz(folder / "weights.npz", net, compression=False)
        count = sum(len(link.weights) for part in parts for link in part.net.plan.links.values())
        size = (folder / "weights.npz").stat().st_size
        written.insert(1, Written("weights.npz", size, f"{count} arrays, for chainer.serializers.load_npz"))
        vector = _vector(parts)
        (folder / "check.npz").write_bytes(vector)
        written.append(Written("check.npz", len(vector), "inputs, outputs, a digest of each layer"))
    return written


def _vector(parts: list[Part]) -> bytes:
    import numpy as np

    arrays: dict[str, Any] = {}
    for part in parts:
        arrays |= {f"{part.prefix}{name}": value for name, value in _checked(part.net).items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _checked(net: Any) -> dict[str, Any]:
    import numpy as np

    inputs = test_inputs(net.plan)
    # one sample at a time: a convolution's columns are large
    outputs = net.predict(*inputs, batch_size=1)
    arrays = {f"x{i}": x for i, x in enumerate(inputs)}
    arrays |= {f"y{i}": y for i, y in enumerate(net.ends(outputs))}
    digests = dict(_digests(net, inputs))
    arrays["layers"] = np.array(list(digests), dtype=str)
    arrays["digests"] = np.array(list(digests.values())).reshape(len(digests), SAMPLES + 2)
    return arrays


def digest(values: Any) -> Any:
    """Mean, standard deviation and some values of an output, by which two networks are compared."""
    import numpy as np

    if not values.size:
        return np.zeros(SAMPLES + 2)
    places = np.unravel_index(np.linspace(0, values.size - 1, SAMPLES).astype(int), values.shape)
    whole = [values.mean(dtype="float64"), values.std(dtype="float64")]
    return np.array([*whole, *values[places]], dtype="float64")


def _digests(net: Any, inputs: list[Any]) -> Iterator[tuple[str, Any]]:
    """The digest of each layer's output for the first sample, in the order of their making."""
    from kchainer.backends.chainer.runtime import inference

    with inference():
        for name, value in net.layers(*(x[:1] for x in inputs)):
            yield name, digest(value.array)


def load(folder: str | os.PathLike[str], *, limits: Limits = DEFAULT, check: bool = True) -> Any:
    """The network of a bundle, compared with its test vector.

    Raises:
        KchainerError: a file is missing or damaged, or the outputs are others (KC406).
    """
    from kchainer.backends.chainer.npz import fill

    at = Path(folder)
    net, _ = build(read(at / "model.json", limits=limits), zeros=True)
    fill(net, at / "weights.npz", limits)
    if check:
        differences = compare(net, at / "check.npz")
        if max(differences) > TOLERANCE:
            message = f"the outputs differ from the test vector by {max(differences):.2g} of their scale"
            first = first_difference(net, at / "check.npz")
            found = f'"{first[0]}" is the first layer that differs, by {first[1]:.2g}' if first else None
            raise KchainerError(
                Diagnostic(code="KC406", message=message, file=str(at / "check.npz"), found=found)
            )
    return net


def compare(net: Any, reference: str | os.PathLike[str]) -> list[float]:
    """The largest difference of each output from a reference's ``y0...`` on its ``x0...``, by their scale.

    Raises:
        KchainerError: the reference cannot be read, or has other shapes.
    """
    name = os.fspath(reference)
    return [one for part in parts_of(net) for one in _compared(part, reference, name)]


def _compared(part: Part, reference: str | os.PathLike[str], name: str) -> list[float]:
    net = part.net
    with NpzFile(reference) as arrays:
        inputs = [arrays.read(f"{part.prefix}x{i}") for i in range(len(net.plan.inputs))]
        wanted = [arrays.read(f"{part.prefix}y{i}") for i in range(len(net.plan.outputs))]
    made = net.predict(*inputs, batch_size=1)
    out = []
    for got, want in zip(net.ends(made), wanted, strict=True):
        if got.shape != want.shape:
            message = "an output has another shape than the reference"
            raise KchainerError(
                Diagnostic(
                    code="KC403", message=message, file=name, found=str(got.shape), expected=str(want.shape)
                )
            )
        out.append(_difference(got, want))
    return out


def first_difference(
    net: Any, reference: str | os.PathLike[str], tolerance: float = TOLERANCE
) -> tuple[str, float] | None:
    """The first layer whose output differs from the reference's digest, and by how much of its scale.

    None where no layer does, or the reference has no digests.
    """
    differing = (_first(part, reference, tolerance) for part in parts_of(net))
    return next((one for one in differing if one is not None), None)


def _first(part: Part, reference: str | os.PathLike[str], tolerance: float) -> tuple[str, float] | None:
    with NpzFile(reference) as arrays:
        if f"{part.prefix}digests" not in set(arrays):
            return None
        inputs = [arrays.read(f"{part.prefix}x{i}") for i in range(len(part.net.plan.inputs))]
        names, digests = arrays.read(f"{part.prefix}layers"), arrays.read(f"{part.prefix}digests")
        known = dict(zip(names.tolist(), digests, strict=True))
    for name, got in _digests(part.net, inputs):
        if name in known:
            scale = abs(known[name][0]) + known[name][1]
            difference = _difference(got, known[name], scale)
            if difference > tolerance:
                return f"{part.prefix}{name}", difference
    return None


def _difference(got: Any, want: Any, scale: float | None = None) -> float:
    """The largest difference by the scale of what is wanted; NaN and infinity must stand at the same places."""
    import numpy as np

    other = ~((got == want) | (np.isnan(got) & np.isnan(want)))
    if not other.any():
        return 0.0
    with np.errstate(invalid="ignore"):
        largest = float(np.abs(got[other] - want[other]).max())
    if not np.isfinite(largest):
        return float("inf")
    if scale is None:
        scale = float(np.abs(want[np.isfinite(want)]).max(initial=0))
    return largest / max(scale, 1e-30)
