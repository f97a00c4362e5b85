"""What layers over pixels share: data formats, padding rules, the question of the backend."""

from __future__ import annotations

from typing import Any

from kchainer.frontends.fields import Field, Wrong, one_of
from kchainer.frontends.keras.dialect import Dialect
from kchainer.ir.ops.spatial import Pads

data_format = one_of("channels_first", "channels_last")


def default_format(dialect: Dialect) -> str:
    """What a config without a data format means: Keras 1 left it out for padding, cropping and upsampling."""
    if dialect.release >= (2,):
        return "channels_last"
    return dialect.data_format or ("channels_first" if dialect.backend == "theano" else "channels_last")


DATA_FORMAT = Field(
    type=data_format,
    was="dim_ordering",
    values={"th": "channels_first", "tf": "channels_last", None: "channels_last"},
    default=default_format,
)
# One spatial dimension: Keras 0.3 and 1 always had the channels last.
DATA_FORMAT_1D = Field(type=data_format, default="channels_last", values={None: "channels_last"})
PADDING = Field(type=one_of("valid", "same"), was="border_mode", default="valid")


def backend_of(dialect: Dialect, why: str) -> str:
    """The backend, where it matters. Raises Wrong (KC108) where the file leaves it open."""
    if dialect.backend is None and dialect.release < (2,):
        raise Wrong(
            f"the file does not say on which backend it was written, and {why}",
            code="KC108",
            hint="say --keras-backend theano or --keras-backend tensorflow",
        )
    return dialect.backend or "tensorflow"


def none(rank: int) -> Pads:
    """No padding."""
    return ((0, 0),) * rank


def same_conv(
    ks: tuple[int, ...], dilation: tuple[int, ...], strides: tuple[int, ...], dialect: Dialect
) -> Pads:
    """'same' of a convolution: TensorFlow's depends on the size that comes in, Theano's on the window only."""
    windows = [d * (k - 1) + 1 for k, d in zip(ks, dilation, strict=True)]
    if all(w == 1 for w in windows):
        return none(len(ks))
    if all(w % 2 for w in windows) and all(s == 1 for s in strides):
        return "same_upper"  # the two rules agree
    if backend_of(dialect, "padding `same` differs between Theano and TensorFlow") != "theano":
        return "same_upper"
    return tuple((w // 2, (w - 1) // 2) for w in windows)


def same_pool(ks: tuple[int, ...], strides: tuple[int, ...], dialect: Dialect) -> Pads:
    """'same' of a pooling. Theano pads k - 2 on both sides for an odd window above 2, else k - 1, and cuts."""
    if all(k == 1 for k in ks):
        return none(len(ks))
    if all(s == 1 and k == 3 for s, k in zip(strides, ks, strict=True)):
        return "same_upper"  # the two rules agree
    if backend_of(dialect, "padding `same` differs between Theano and TensorFlow") != "theano":
        return "same_upper"
    return tuple((k - 2, 1) if k % 2 and k > 2 else (k - 1, 0) for k in ks)


def pairs(rank: int, value: Any) -> tuple[tuple[int, int], ...]:
    """Padding or cropping in all the forms that releases wrote: one number, one a side, pairs, Keras 1's."""

    def fits(n: Any) -> bool:
        return isinstance(n, int) and not isinstance(n, bool) and n >= 0

    if fits(value):
        return ((value, value),) * rank
    if isinstance(value, dict):
        names = (
            [("top_pad", "bottom_pad"), ("left_pad", "right_pad")]
            if rank == 2
            else [("left_pad", "right_pad")]
        )
        value = [[value.get(a, 0), value.get(b, 0)] for a, b in names]
    if isinstance(value, (list, tuple)):
        if rank == 1 and len(value) == 2 and all(map(fits, value)):
            return ((value[0], value[1]),)
        if rank == 2 and len(value) == 4 and all(map(fits, value)):
            return ((value[0], value[1]), (value[2], value[3]))
        if len(value) == rank and all(map(fits, value)):
            return tuple((n, n) for n in value)
        if len(value) == rank and all(
            isinstance(p, (list, tuple)) and len(p) == 2 and all(map(fits, p)) for p in value
        ):
            return tuple((p[0], p[1]) for p in value)
    raise Wrong(f"a number, {rank} numbers or {rank} pairs of numbers, none negative")
