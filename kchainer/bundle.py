"""A converted model as a folder: the checked model, its weights, the program, and a test vector."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from pathlib import Path
from typing import Any

from kchainer.api import plan_of, read, to_source
from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.emit.plan import Plan
from kchainer.files import DEFAULT, Limits, atomic_directory
from kchainer.ir.graph import Model

# Unknown sizes of a test vector's inputs.
SIZE, BATCH, SEED = 32, 2, 2016


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
    for shape, dtype in zip(plan.input_shapes, plan.input_dtypes, strict=True):
        sizes = [BATCH if i == 0 else SIZE if d is None else d for i, d in enumerate(shape)]
        if dtype.startswith(("int", "uint")):
            out.append(random.integers(0, 2, sizes).astype("int32"))
        else:
            out.append(random.standard_normal(sizes).astype("float32"))
    return out


def write(model: Model, out: str | os.PathLike[str]) -> list[Written]:
    """Write the bundle. Nothing of it is left where something fails.

    Raises:
        KchainerError: the folder cannot be written, or the network cannot be built.
    """
    import chainer

    from kchainer.backends.chainer import build
    from kchainer.ir.spec import to_json

    plan = plan_of(model)
    net = build(model, dataclasses.replace(plan, is_linear=False))
    written = []
    with atomic_directory(out) as folder:
        for name, what, data in (
            ("model.json", "the checked model", json.dumps(to_json(model), indent=1).encode()),
            ("model.py", "the same network as Chainer source", to_source(model).encode()),
        ):
            (folder / name).write_bytes(data)
            written.append(Written(name, len(data), what))
        chainer.serializers.save_npz(folder / "weights.npz", net, compression=False)
        count = sum(len(link.weights) for link in plan.links.values())
        size = (folder / "weights.npz").stat().st_size
        written.insert(1, Written("weights.npz", size, f"{count} arrays, for chainer.serializers.load_npz"))
        vector = _vector(net, plan)
        (folder / "check.npz").write_bytes(vector)
        written.append(Written("check.npz", len(vector), "inputs and outputs, checked when it is loaded"))
    return written


def _vector(net: Any, plan: Plan) -> bytes:
    import numpy as np

    inputs = test_inputs(plan)
    outputs = net.predict(*inputs)
    arrays = {f"x{i}": x for i, x in enumerate(inputs)}
    arrays |= {f"y{i}": y for i, y in enumerate(outputs if isinstance(outputs, list) else [outputs])}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def load(folder: str | os.PathLike[str], *, limits: Limits = DEFAULT, check: bool = True) -> Any:
    """The network of a bundle, compared with its test vector.

    Raises:
        KchainerError: a file is missing or damaged, or the outputs are others (KC406).
    """
    import chainer

    from kchainer.backends.chainer import build

    at = Path(folder)
    model = read(at / "model.json", limits=limits)
    plan = plan_of(model)
    net = build(model, dataclasses.replace(plan, is_linear=False), zeros=True)
    try:
        chainer.serializers.load_npz(at / "weights.npz", net)
    except (OSError, KeyError, ValueError) as wrong:
        raise KchainerError(
            Diagnostic(
                code="KC905", message=f"the weights cannot be read: {wrong}", file=str(at / "weights.npz")
            )
        ) from None
    if check:
        differences = compare(net, at / "check.npz")
        if max(differences) > 1e-4:
            message = f"the outputs differ from the test vector by {max(differences):.2g} of their scale"
            raise KchainerError(Diagnostic(code="KC406", message=message, file=str(at / "check.npz")))
    return net


def compare(net: Any, reference: str | os.PathLike[str]) -> list[float]:
    """The largest difference of each output from a reference's ``y0...`` on its ``x0...``, by their scale.

    Raises:
        KchainerError: the reference cannot be read, or has other shapes.
    """
    import numpy as np

    name = os.fspath(reference)
    try:
        with np.load(reference, allow_pickle=False) as arrays:
            inputs = [arrays[f"x{i}"] for i in range(len(net.plan.inputs))]
            wanted = [arrays[f"y{i}"] for i in range(len(net.plan.outputs))]
    except (OSError, KeyError, ValueError) as wrong:
        raise KchainerError(
            Diagnostic(code="KC905", message=f"the reference cannot be read: {wrong}", file=name)
        ) from None
    made = net.predict(*inputs)
    out = []
    for got, want in zip(made if isinstance(made, list) else [made], wanted, strict=True):
        if got.shape != want.shape:
            message = "an output has another shape than the reference"
            raise KchainerError(
                Diagnostic(
                    code="KC403", message=message, file=name, found=str(got.shape), expected=str(want.shape)
                )
            )
        out.append(float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-30)) if got.size else 0.0)
    return out
