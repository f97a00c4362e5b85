"""What a config says of each param: initializer, regularizer, constraint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from kchainer.frontends.fields import Config, Field, Wrong
from kchainer.frontends.keras.constraints import CONSTRAINTS
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.initializers import INITIALIZERS
from kchainer.frontends.keras.regularizers import PER_SAMPLE, REGULARIZERS
from kchainer.ir import definition, ops
from kchainer.ir.definition import Setting
from kchainer.ir.initializers import Orthogonal, VarianceScaling
from kchainer.ir.op import Op, Param
from kchainer.ir.regularizers import L1L2
from kchainer.ir.settings import ACTIVITY, TABLES

KINDS = {"initializer": INITIALIZERS, "regularizer": REGULARIZERS, "constraint": CONSTRAINTS}
# Names of Keras 0.3 and 1.
KERAS1 = {
    "kernel_initializer": "init",
    "kernel_regularizer": "W_regularizer",
    "kernel_constraint": "W_constraint",
    "recurrent_initializer": "inner_init",
    "recurrent_regularizer": "U_regularizer",
    "bias_regularizer": "b_regularizer",
    "bias_constraint": "b_constraint",
    "embeddings_initializer": "init",
    "embeddings_regularizer": "W_regularizer",
    "embeddings_constraint": "W_constraint",
    "depthwise_initializer": "init",
    "depthwise_regularizer": "depthwise_regularizer",
    "gamma_initializer": "gamma_init",
    "beta_initializer": "beta_init",
    "alpha_initializer": "init",
}


def param_fields(*prefixes: str) -> dict[str, Field]:
    """The three fields of each param, with their Keras 1 names."""
    return {
        f"{prefix}_{word}": kind.field(KERAS1.get(f"{prefix}_{word}"))
        for prefix in prefixes
        for word, kind in KINDS.items()
    }


def activity_of(value: Any, dialect: Dialect) -> Setting | None:
    """An ``activity_regularizer``. Raises Wrong."""
    one = REGULARIZERS.read(value, dialect)
    if isinstance(one, L1L2):
        return dataclasses.replace(one, per_sample=PER_SAMPLE[dialect.flavour].at(dialect))
    return one


def settings_of(
    config: Config | None,
    activity: Setting | None,
    dialect: Dialect,
    op: Op,
    params: Mapping[str, Param],
) -> dict[str, dict[str, Any]]:
    """By prefix ("kernel"), what the file states, as kchainer's JSON; axes are those of Keras 2's layout.

    Raises:
        Wrong: axes that the param has not.
    """
    out: dict[str, dict[str, Any]] = {}
    if activity is not None:
        out[ACTIVITY] = {"regularizer": definition.to_json(activity)}
    for name, value in vars(config).items() if config is not None else ():
        prefix, _, word = name.rpartition("_")
        if word in KINDS and isinstance(value, Setting):
            param = params.get(prefix) or params.get(f"{prefix}_kernel")
            placed = value if param is None else _placed(value, dialect, op, param)
            data = definition.to_json(placed)
            wrong = next(definition.problems(TABLES[word], data, ""), None)
            if wrong is not None:  # an axis before the first
                raise Wrong(
                    f"`{name}`: {wrong.found} in {wrong.pointer[1:]}, expected {wrong.expected}", code="KC301"
                )
            out.setdefault(prefix, {})[word] = data
    return out


# ------------------------------------------------------------------ axes of Keras 1's layouts


def _old_letters(dialect: Dialect, op: Op, param: Param) -> str | None:
    """The layout that Keras 0.3 and 1 kept a convolution's kernel in; "1" is an axis that is gone."""
    if not isinstance(op, (ops.Convolution, ops.TransposedConvolution)) or param.name != "kernel":
        return None
    window = "".join(letter for letter in param.axes if letter in "DHW")
    if len(window) == 1:
        return f"{window}1IO" if dialect.release >= (1, 1) else f"OI{window}1"
    if op.data_format == "channels_first":
        return f"OI{window}"
    return f"{window}IO"


def _fans(dialect: Dialect, op: Op, old: str) -> tuple[str, str]:
    """The letters whose sizes made the fans in and out of Keras 0.3 and 1."""
    # before 1.2 every kernel was taken for one with its output channels first
    first = dialect.release < (1, 2) or "1" in old or op.data_format == "channels_first"  # type: ignore[attr-defined]
    if dialect.release < (1,):
        return (old[1:], old[0]) if first else (old[:-1], old[-1])
    if first:
        return old[1] + old[2:], old[0] + old[2:]
    return old[-2] + old[:2], old[-1] + old[:2]


def _placed(one: Setting, dialect: Dialect, op: Op, param: Param) -> Setting:
    """Axes counted from the front of the param as the IR has it."""
    rank = len(param.shape)
    old = _old_letters(dialect, op, param) if dialect.release < (2,) else None
    if isinstance(one, VarianceScaling):
        if old is not None:
            fan_in, fan_out = (_indices(letters, param) for letters in _fans(dialect, op, old))
            return dataclasses.replace(one, input_axes=fan_in, output_axes=fan_out)
        if one.input_axes is not None and one.output_axes is not None:
            return dataclasses.replace(
                one,
                input_axes=_from_front(one.input_axes, rank),
                output_axes=_from_front(one.output_axes, rank),
            )
        return one
    if isinstance(one, Orthogonal) and one.rows is not None:
        return dataclasses.replace(one, rows=_indices(old[0], param) if old is not None else one.rows)
    axes = getattr(one, "axes", None)
    if axes is None:
        return one
    axes = _from_front(axes, len(old) if old is not None else rank)
    if old is not None and all(0 <= a < len(old) for a in axes):
        axes = _indices("".join(old[a] for a in axes), param)
    return cast("Setting", dataclasses.replace(cast("Any", one), axes=tuple(sorted(axes))))


def _from_front(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """What is no axis stays so: it is reported once the shape is known."""
    return tuple(a + rank if a < 0 else a for a in axes)


def _indices(letters: str, param: Param) -> tuple[int, ...]:
    return tuple(param.axes.index(letter) for letter in letters if letter in param.axes)
