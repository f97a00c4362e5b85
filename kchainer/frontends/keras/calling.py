"""Calls of one layer or operation: the masks that come with its inputs, its operations, its settings."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Any

from kchainer.frontends.fields import Wrong
from kchainer.frontends.keras import attending, custom, lora, reversible, wrapped
from kchainer.frontends.keras import masks as masking
from kchainer.frontends.keras.entries import Entry, is_operation
from kchainer.frontends.keras.layers.activation import ACTIVATION
from kchainer.frontends.keras.layers.operations import Refused, Reported, operation
from kchainer.frontends.keras.settings import settings_of
from kchainer.ir import ops
from kchainer.ir.graph import Value
from kchainer.ir.op import Op, Shape, ShapeError, show

if TYPE_CHECKING:
    from kchainer.frontends.keras.graph import Translation

Json = dict[str, Any]
Values = list[Value | None]
# Layers that act otherwise in training.
MODAL = frozenset(
    [
        *(
            "Dropout",
            "SpatialDropout1D",
            "SpatialDropout2D",
            "SpatialDropout3D",
            "AlphaDropout",
            "GaussianDropout",
        ),
        *("GaussianNoise", "BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2"),
        "SpectralNormalization",
    ]
)
BESIDE = frozenset(["initial_state", "count_weights"])  # tensors by keyword that come behind the inputs


def call(
    t: Translation, entry: Entry, args: list[Any] | None, kwargs: Json, tensors: Set[str] = frozenset()
) -> Values:
    """Call what a node of the file calls: a model, an operation, a layer. ``tensors``: keywords that hold some."""
    if entry.broken or not _mode_fits(t, entry, kwargs.get("training")):
        return [None]
    if entry.scope is not None:
        if args and "mask" in tensors and isinstance(kwargs["mask"], tuple):
            t.masks.put(args[0], kwargs["mask"])
        return t.call_scope(entry.scope, entry.path, args) or [None]
    if args is None:
        return [None]
    if is_operation(entry):
        return _call_operation(t, entry, args, kwargs)
    if any(a is None for a in args):
        return [None]
    if entry.class_name in attending.CLASSES:
        fit = not args or not _no_values(t, entry, args)  # all of them may be keywords
        return attending.call(t, entry, args, kwargs, tensors) if fit else [None]
    return _call_with_keywords(t, entry, args, kwargs, tensors)


def _mode_fits(t: Translation, entry: Entry, training: Any) -> bool:
    """A call may say in which mode it runs, whatever the network does; reported, since no mode is kept here.

    Keras 3 writes what it was called with at first, and then goes by the network's mode all the same.
    """
    modal = (entry.scope is not None or entry.class_name in MODAL) and entry.dialect.release < (3,)
    if not modal or not isinstance(training, bool):
        return True
    what = f'{entry.class_name} "{entry.name}" is called with `training={training}`'
    if training:
        t.error("KC205", f"{what}, so that it acts as in training always", entry.pointer)
        return False
    hint = "inference is the same; in training, run it under chainer.using_config('train', False)"
    t.diagnostics.warn(
        "KC205",
        f"{what}, and acts as in training here when the network trains",
        pointer=entry.pointer,
        hint=hint,
    )
    return True


def _no_values(t: Translation, entry: Entry, args: list[Any]) -> bool:
    """The layer is called on nothing, or on what is no value; reported."""
    if args and all(isinstance(a, tuple) for a in args):
        return False
    what = "what is no value" if args else "nothing"
    t.error("KC302", f'{entry.class_name} "{entry.name}" is called on {what}', entry.pointer)
    return True


def _call_with_keywords(
    t: Translation, entry: Entry, args: list[Any], kwargs: Json, tensors: Set[str]
) -> Values:
    """Call a layer that takes no tensors as keywords but a mask, states and weights of counts."""
    if (
        reversible.is_called_in_reverse(entry)
        and not tensors
        and len(args) == 1
        and isinstance(args[0], tuple)
    ):
        return [reversible.call(t, entry, args[0], reverse=bool(kwargs.get("reverse")))]
    args = [*args, *values_in([kwargs[name] for name in sorted(BESIDE & tensors)])]
    if _refused_keywords(t, entry, kwargs, tensors) or any(a is None for a in args):
        return [None]
    if any(not isinstance(a, tuple) for a in args):
        return _call_operation(t, entry, args, kwargs)
    return call_layer(t, entry, args, kwargs["mask"] if "mask" in tensors else None)


def values_in(args: list[Any]) -> list[Any]:
    """The values in nested lists, one behind the other, as layers take them; a value is a tuple."""
    out: list[Any] = []
    for one in args:
        out += values_in(one) if isinstance(one, list) else [one]
    return out


def _refused_keywords(t: Translation, entry: Entry, kwargs: Json, tensors: Set[str]) -> bool:
    unfit = sorted(tensors - BESIDE - {"mask"})
    if unfit:
        what, found = "takes tensors as keywords", ", ".join(unfit)
    elif kwargs.get("reverse"):
        what, found = "called in reverse is not supported", "reverse"
    else:
        return False
    t.error("KC205", f'{entry.class_name} "{entry.name}" {what}', entry.pointer, found=found)
    return True


def call_layer(
    t: Translation, entry: Entry, inputs: list[Value], mask: Value | None = None, heed: bool = True
) -> Values:
    """Call a layer on values and on the mask that comes with the first, or that the file gives."""
    if entry.broken or _no_values(t, entry, inputs):
        return [None]
    if entry.owner.replaced is not None:
        return custom.call(t, entry, inputs, mask or t.masks.of(inputs[0]))
    if entry.config is None:
        return [None]
    implied = t.masks.of(inputs[0]) if heed else None
    taken = mask or (implied if masking.implied_counts(inputs, entry.dialect) else None)
    mask = mask or implied
    if mask is not None and masking.refuses(entry.class_name, entry.dialect):
        t.error(
            "KC205", f'{entry.class_name} "{entry.name}" of {entry.dialect} refuses a masked input', entry.pointer,
            hint="later releases drop the mask: say --dialect where another one wrote the file",
        )  # fmt: skip
        return [None]
    if entry.class_name in masking.RECURRENT:
        taken = _one_kind(t, entry, inputs[0], taken)
    if entry.class_name in wrapped.CALLS:
        made = wrapped.call(t, entry, inputs, taken)
    else:
        value = _call_activated(t, entry, inputs, taken)
        made = list(t.outputs(value)) if value is not None else [None]
    found = [v for v in made if v is not None]
    if len(found) < len(made):
        return [None]
    t.builder.taps.setdefault(entry.path, found[0])
    t.masks.after(entry.path, entry.class_name, entry.config, entry.dialect, inputs, found, mask)
    return made


def _one_kind(t: Translation, entry: Entry, x: Value, mask: Value | None) -> Value | None:
    """The mask of a call of a recurrent layer, which has one in each of its calls or in none."""
    if t.masked.setdefault(entry.path, mask is not None) == (mask is not None):
        return mask
    if mask is None:
        return t.builder.call(f"{entry.path}/every_step", ops.MaskOnes(rank=2), [x], pointer=entry.pointer)
    t.late.add(entry.path)  # the translation is made anew, and has masks from the first call on
    return None


def _call_activated(t: Translation, entry: Entry, inputs: list[Value], mask: Value | None) -> Value | None:
    """Call a layer, then the network that the caller gave for its activation, where that is none of Keras's."""
    assert entry.config is not None
    said = vars(entry.config).get("activation")
    own = t.translators[entry.class_name].fields.get("activation") is ACTIVATION
    given = custom.of_activation(t, said) if own else None
    if given is None:
        return _call_plain(t, entry, inputs, mask)
    first = entry.path not in t.builder.taps
    vars(entry.config)["activation"] = None
    try:
        value = _call_plain(t, entry, inputs, mask)
    finally:
        vars(entry.config)["activation"] = said
    value = None if value is None else custom.activate(t, entry, given, said, value)
    if value is not None and first:
        t.builder.taps[entry.path] = value
    return value


def _call_plain(t: Translation, entry: Entry, inputs: list[Value], mask: Value | None) -> Value | None:
    assert entry.config is not None
    translator = t.translators[entry.class_name]
    shapes = tuple(t.builder.shape(v) for v in inputs)
    if t.kept is not None and "vocabulary" in translator.fields:
        vars(entry.config)["kept"] = t.kept(entry.owner, t.owners)
    try:
        made = translator.function(entry.config, shapes, entry.dialect)
    except (Wrong, ShapeError) as wrong:
        _translation_error(t, entry, wrong, shapes)
        return None
    chain = lora.kept(made if isinstance(made, tuple) else (made,), entry.owner.lora)
    first, inputs = t.masks.counted(entry.class_name, chain[0], inputs, entry.dialect)
    chain = (first, *chain[1:])
    if mask is not None and masking.takes(entry.class_name, entry.dialect):
        heeding = masking.masked(chain[0], len(shapes[0]), entry.dialect)
        if heeding is None:
            t.error(
                "KC205",
                f'{entry.class_name} "{entry.name}" on a masked input is not supported',
                entry.pointer,
            )
            return None
        chain, inputs = (heeding, *chain[1:]), [*inputs, mask]
    return _chain(t, entry, chain, inputs)


def _translation_error(
    t: Translation, entry: Entry, wrong: Wrong | ShapeError, shapes: tuple[Shape, ...]
) -> None:
    what = f'{entry.class_name} "{entry.name}": {wrong}'
    if isinstance(wrong, ShapeError):
        t.error("KC301", what, entry.pointer, found=f"input {' and '.join(map(show, shapes))}")
    else:
        t.error(wrong.code, what, f"{entry.pointer}/config", hint=wrong.hint)


def _chain(t: Translation, entry: Entry, ops: tuple[Op, ...], inputs: list[Value]) -> Value | None:
    value: Value | None = None
    main = next((i for i, op in enumerate(ops) if type(op).params is not Op.params), 0)
    for i, op in enumerate(ops):
        name = entry.path if i == main else f"{entry.path}/{op.name.lower()}"
        value = t.builder.call(
            name,
            op,
            inputs,
            trainable=entry.trainable,
            settings=settings(t, entry, op, inputs) if i == main else {},
            pointer=entry.pointer,
        )
        if value is None:
            return None
        inputs = [value]
    if value is not None:
        t.builder.taps.setdefault(entry.path, value)
    return value


def settings(t: Translation, entry: Entry, op: Op, inputs: list[Value]) -> dict[str, dict[str, Any]]:
    """What the config says of each of the operation's params: initializers, regularizers, constraints."""
    try:
        params = {p.name: p for p in op.params(*(t.builder.shape(v) for v in inputs))}
    except (ShapeError, IndexError, KeyError, ValueError, TypeError):  # the builder reports it
        return {}
    try:
        out = settings_of(entry.config, entry.activity, entry.dialect, op, params)
        if (
            entry.owner.quantized is not None
        ):  # a kernel of whole numbers has neither regularizer nor constraint
            out = {name: said for name, said in out.items() if name not in params or params[name].trainable}
    except Wrong as wrong:
        t.error(wrong.code, f'{entry.class_name} "{entry.name}": {wrong.expected}', f"{entry.pointer}/config")
        return {}
    return out


def _call_operation(t: Translation, entry: Entry, args: list[Any], kwargs: Json) -> Values:
    config = entry.raw.get("config") if is_operation(entry) else None  # a layer called with numbers
    config = config if isinstance(config, dict) else {}
    count = 0

    def call(op: Op, inputs: Sequence[Value]) -> Value | None:
        nonlocal count
        count += 1
        name = entry.path if count == 1 else f"{entry.path}/{op.name.lower()}_{count}"
        if name in t.builder.layers and t.builder.layers[name].op != op:
            name = t.builder.unique(name)
        return t.builder.call(name, op, inputs, pointer=entry.pointer)

    try:
        made = operation(entry.class_name, config, args, kwargs, call, t.builder.shape)
    except Refused as wrong:
        what = config.get("function", entry.class_name)
        t.error(
            "KC203",
            f'operation `{what}` "{entry.name}" is not supported on these arguments: {wrong}',
            entry.pointer,
        )
        return [None]
    except Reported:
        return [None]
    out = made if isinstance(made, list) else [made]
    if isinstance(out[0], tuple):
        t.builder.taps.setdefault(entry.path, out[0])
    return out
