"""Writes docs/support.md: ``python docs/make_support.py``.

From the translators' own tables, docs/keras_classes.json (tools/keras_classes.py) and docs/measured.json
(``make measure``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
import kchainer.frontends.keras.layers
from kchainer.frontends.fields import Field, ignored
from kchainer.frontends.keras import masks as masking
from kchainer.frontends.keras.attending import CLASSES
from kchainer.frontends.keras.constraints import CONSTRAINTS
from kchainer.frontends.keras.dialect import parse
from kchainer.frontends.keras.initializers import INITIALIZERS
from kchainer.frontends.keras.layers.image import INFERENCE_ONLY
from kchainer.frontends.keras.layers.operations import GRAPH, HANDLERS, TENSORFLOW
from kchainer.frontends.keras.losses.tables import COMMON, LOSSES
from kchainer.frontends.keras.optimizers.tables import OPTIMIZERS, SCHEDULES
from kchainer.frontends.keras.policies import CLASSES as POLICIES
from kchainer.frontends.keras.regularizers import REGULARIZERS
from kchainer.frontends.keras.translate import TRANSLATORS
from kchainer.frontends.keras.unsupported import OTHERS, UNSUPPORTED
from kchainer.functions.measures import METRICS
from tools.keras_classes import inside, spans

assert kchainer.frontends.keras.layers

HEAD = """# What is supported

Made by `python docs/make_support.py` from the translators' own tables; a test holds both in step. Which releases have
a class is what their sources say (`docs/keras_classes.json`), the errors are those that `make measure` saw. Inference
agrees with Keras 3.15 (run beside us) at 1e-5 of each output's scale in float32, gradients and running statistics too,
where `tests/parity` has the class; older releases agree with recorded outputs (`tests/recorded`).

Any class that is not listed is refused with KC201 (the second table says why), any key that is not listed with
KC103, `Lambda` and other code in a file with KC202. Initializers, regularizers and constraints of every release are
read, those of Keras's own classes; a name that is none of them is refused, also where weights take an initializer's place.

Policies `float32`, `float64` and `float16` are computed as they are. A model of a mixed or bfloat16 policy, or of
several dtypes, is refused with KC206; with `--allow KC206` it is computed in float32 (float64 where a layer is), and
its outputs differ by the rounding of 16 bits. Stored float16 and bfloat16 weights are read exactly.

Quantised Dense, EinsumDense, Embedding and ReversibleEmbedding of Keras 3 are computed as Keras does: int8, int4 (blocks
too) and float8. Files of GPTQ and AWQ lack their zero points (Keras 3.15 cannot load them either) and are refused, and
so are a quantised MultiHeadAttention, whose config does not say it (Keras cannot load it), and policies by a map.

LoRA of Keras 3 is merged into the kernels, which learn then (KC207). With `lora="keep"`, `--lora keep`, kernels stay and
the two matrices learn, as in Keras; from a `.keras` both are zero, in Keras too, and never move. A `.h5` has them apart:
kchainer adds `lora_alpha / lora_rank` of their product, as the model did that was saved, while Keras 3.15 forgets the
`lora_alpha` of Dense and Embedding when it loads one.

Operation nodes of functional models (`keras.ops` of Keras 3; `TFOpLambda`, `SlicingOpLambda` and `TensorFlowOpLayer`
of tf.keras) are read where the table at the end has the operation; others, and arguments whose result has a shape that
depends on values, are refused with KC203.

Known differences:

- AveragePooling with padding `same` where the two sides differ: Keras on PyTorch repeats the border, Keras on
  TensorFlow and JAX leaves the padding out of the mean. kchainer does the latter, so a file trained on PyTorch
  differs at the border (28 to 56 % of the scale in the cases measured).
- Compiled settings are read of every release: optimizer with its state, losses, metrics, weights of losses. A custom
  loss, metric or optimizer is a warning (KC501), and only training by the file is then refused. tf.keras
  writes no state of its older optimizers (`optimizers.legacy`) into `.keras` files (KC502: the optimizer begins anew),
  and no scale of a LossScaleOptimizer. Keras 1 counts
  no steps for RMSprop, Adagrad and Adadelta, so that a file of theirs with `decay` does the same.
- LayerNormalization over one axis that is not the last: Keras 3.15 on PyTorch hands it to a kernel that normalises
  the last axes whatever the axis is, so it fails, or is wrong where the sizes agree. kchainer normalises that axis.
- A call that stores `training=True` (a Dropout that stays on) in a file of Keras 2 is refused (KC205); one that stores
  `training=False` is read with a warning, since it differs in training only. Keras 3 heeds neither.
- A model of Keras 1.2 without weights has no `shared_axes` of PReLU, as in Keras itself: only the array tells them.
- Random augmentations other than RandomFlip, RandomCrop, RandomBrightness, RandomContrast, RandomRotation,
  RandomTranslation and RandomZoom are the identity at inference, as in Keras, and raise an error in training.
- A vocabulary that was adapted stands in `.keras` files only; JSON and `.h5` with one are refused with KC401,
  unless the `.keras` is given as their weights.
- ContrastLimitedAdaptiveHistogramEqualization: Keras on PyTorch cuts the limit of a bin to a whole number, Keras on
  TensorFlow and JAX does not, nor does kchainer.
- The legacy `.h5` of a bfloat16 model is refused (KC404): Keras writes two bytes each and nothing that tells what they are.
- `time_major` is refused. A BatchNormalization of Keras 3 that is called with a mask in one place and
  without one in another is refused too (KC301); recurrent layers are not.
- A query of MultiHeadAttention that a mask lets see nothing: Keras on PyTorch gives its weights another gradient than
  their value has. Maxima that occur several times: Chainer gives each the whole gradient, Keras parts it.

## Layers

A row is a class with the other names that releases have for it. *Releases*: first and last of those that have it; 2.6
to 2.15 are tf.keras. *Training*: "gradients" are compared with Keras's, "statistics" are those of random draws.
*Masks*: what becomes of the mask of an input. *Emitted as*: `L`, `F` are Chainer's own links and functions, `kL` and
`kF` kchainer's; activations come behind. *Largest error*: in float32, of outputs, gradients, statistics and weights
after a step, in units of the largest value wanted; "recorded": of the outputs of whole models of older releases. Models
in models (Sequential, Functional, Model, Graph, Pipeline) are read as well.

"""


NOT_READ = """
## What is not read

| class (releases) | inference |
| --- | --- |
"""
KEYS = """
## Keys

Every layer has `name`, `trainable`, `dtype`, its input's shape and `activity_regularizer`. "Of kernel, bias" are the
initializer, regularizer and constraint of these params. Older names of keys (`nb_filter`, `border_mode`) are read as
the new ones.

"""


COLUMNS = """| class | releases | inference | training | masks | emitted as | largest error |
| --- | --- | --- | --- | --- | --- | --- |
"""
SHORT = {
    "chainer.links.": "L.",
    "chainer.functions.": "F.",
    "kchainer.links.": "kL.",
    "kchainer.functions.": "kF.",
}
MOST = 5  # targets that a row names
FOLDER = Path(__file__).parent
FACTS = json.loads((FOLDER / "keras_classes.json").read_text())
MEASURED = json.loads((FOLDER / "measured.json").read_text())
OF_PARAMS = ("_initializer", "_regularizer", "_constraint")


# ------------------------------------------------------------------ one row


def groups() -> list[list[str]]:
    """Classes that are read alike, the main one first; one that Keras 3.15 has beside it is its own row."""
    by_translator: dict[int, list[str]] = {}
    for name, translator in TRANSLATORS.items():
        by_translator.setdefault(id(translator), []).append(name)
    out: list[list[str]] = []
    for names in by_translator.values():
        own = [
            n for n in names[1:] if "3.15.1" in releases(n) and n in MEASURED and not MEASURED[n]["recorded"]
        ]
        aliases = [n for n in names[1:] if n not in own]
        first, *rest = sorted([names[0], *own], key=lambda n: n not in MEASURED)
        out += [[first, *aliases, *(n for n in rest if n not in MEASURED)]]
        out += [[n] for n in rest if n in MEASURED]
    return sorted(out)


def releases(name: str) -> set[str]:
    """The releases that have a class of this very name."""
    found: set[str] = set()
    for kind in ("layer", "layer_v1"):
        found |= inside(FACTS["kinds"][kind].get(name, {}).get("in", ""), FACTS["releases"])
    return found


def aliased(name: str) -> set[str]:
    """The releases that know a class by this name, its own or another."""
    found = releases(name)
    for span in FACTS["aliases"].get(name, {}).values():
        found |= inside(span, FACTS["releases"])
    return found


def short(release: str) -> str:
    """The first two numbers of a release."""
    flavour, _, numbers = release.rpartition("-")
    return (f"{flavour} " if flavour else "") + ".".join(numbers.split(".")[:2])


def span(found: set[str]) -> str:
    """Releases as the table has them."""
    text = spans(found, FACTS["releases"])
    return ", ".join(" to ".join(short(one) for one in part.split("..")) for part in text.split(",") if part)


def training(names: Sequence[str]) -> str:
    """Whether a class trains, and what was compared of it."""
    found = [MEASURED[n] for n in names if n in MEASURED]
    if names[0] in INFERENCE_ONLY:
        return "error: not computed"
    if any(one["training"] is not None for one in found):
        return "yes, gradients" + (", statistics" if any(one["noise"] for one in found) else "")
    if any(one["noise"] for one in found):
        return "yes, statistics"
    if TRANSLATORS[names[0]].function.__module__.endswith("preprocessing") or names[0] == "InputLayer":
        return "nothing to train"
    return "yes, not compared"


def masks(name: str) -> str:
    """What a class does with the mask of its input, by the rules of frontends/keras/masks.py."""
    newest, old = parse("3.15.1"), parse("2.3.1")
    if name.endswith(("Cell", "Cells")):
        return "those of the layer around it"
    if name in ("Masking", "Embedding"):
        return "creates" + (", passes" if masking.passes(name, newest) else " (mask_zero)")
    if name in masking.JOINING:
        return "joins"
    if name in CLASSES:
        return "takes, passes that of the query"
    if name in masking.RECURRENT or name == "Bidirectional":
        return "takes, passes with return_sequences"
    said = []
    first = min((parse(r).release for r in releases(name)), default=(0,))
    if masking.takes(name, newest) or masking.takes(name, old):
        begins = next(r for r in FACTS["releases"] if masking.takes(name, parse(r)))
        said.append("takes" + (f" since {short(begins)}" if parse(begins).release > first else ""))
    if name in masking.PASSING:
        begun = masking.PASSING[name]
        said.append("passes" + (f" since {'.'.join(map(str, (*begun, 0)[:2]))}" if begun > first else ""))
    if not said:
        said.append("stops")
    if masking.refuses(name, old) and releases(name) & {"1.2.2", "2.3.1"}:
        said.append("an error in 1.0 to 2.3")
    return ", ".join(said)


def emitted(names: Sequence[str]) -> str:
    """The links and functions that a class became in its cases."""
    found = sorted({one for n in names if n in MEASURED for one in MEASURED[n]["emitted"]})
    for long, brief in SHORT.items():
        found = [brief + one.removeprefix(long) if one.startswith(long) else one for one in found]
    if names[0] == "StackedRNNCells":
        return "the links of its cells"
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(f"`{one}`" for one in found[:MOST]) + more or "nothing"


def error(names: Sequence[str]) -> str:
    """The largest error of a class: of Keras 3.15's cases, or where it has none of recorded ones."""
    found = [MEASURED[n] for n in names if n in MEASURED and MEASURED[n]["cases"]]
    beside = [one for one in found if not one["recorded"]]
    if not found:
        return "not measured"
    largest = max(max(one["inference"], one["training"] or 0) for one in beside or found)
    return (f"{largest:.1e}" if largest else "0") + ("" if beside else ", recorded")


def row(names: Sequence[str]) -> str:
    """One line of the table."""
    main, *others = names
    of = f"**{main}**" + (f" ({', '.join(others)})" if others else "")
    have = span(set().union(*(aliased(n) for n in names))) or "keras.applications"
    cells = [of, have, "yes", training(names), masks(main), emitted(names), error(names)]
    return f"| {' | '.join(cells)} |\n"


# ------------------------------------------------------------------ keys


def refuses(field: Field) -> bool:
    """Some values of this key are refused, for a reason that its table says."""
    return bool(field.why) and field.type is not ignored


def families() -> str:
    """The keys of each class, by family; those that are ignored or refused stand in lists of their own."""
    out: dict[str, list[str]] = {}
    for names in groups():
        translator = TRANSLATORS[names[0]]
        params = sorted({k.rpartition("_")[0] for k in translator.fields if k.endswith(OF_PARAMS)})
        read = [k for k, f in translator.fields.items() if not f.why and not k.endswith(OF_PARAMS)]
        said = ", ".join(f"`{k}`" for k in read) or "none of its own"
        said += "; of " + ", ".join(params) if params else ""
        out.setdefault(translator.function.__module__.rpartition(".")[2], []).append(
            f"- {names[0]}: {said}\n"
        )
    return "\n".join(
        f"<details><summary>{family}</summary>\n\n{''.join(lines)}\n</details>\n"
        for family, lines in sorted(out.items())
    )


def reasons(wanted: Callable[[Field], bool], tables: Mapping[str, Mapping[str, Field]]) -> str:
    """Each reason once, with the keys that it is of and the classes that have them."""
    out: dict[tuple[str, str], list[str]] = {}
    for name, fields in tables.items():
        for key, field in fields.items():
            if wanted(field):
                out.setdefault((field.why, key), []).append(name)
    lines: dict[str, list[str]] = {}
    for (why, key), names in out.items():
        of = ", ".join(names) if len(names) <= 3 else f"{len(names)} classes"
        lines.setdefault(why, []).append(f"`{key}` ({of})")
    return "".join(f"- {', '.join(sorted(keys))}: {why}.\n" for why, keys in sorted(lines.items()))


def others() -> str:
    """Optimizers, losses and the like: what is read, and why the rest is not."""
    lines = []
    for kind, names in READ.items():
        refused = {n: why for n, why in OTHERS.get(kind, {}).items() if n not in names}
        by: dict[str, list[str]] = {}
        for name, why in refused.items():
            by.setdefault(why, []).append(f"`{name}`")
        no = "; ".join(f"{', '.join(sorted(of))} ({why})" for why, of in by.items())
        lines.append(
            f"- {kind}: {', '.join(f'`{n}`' for n in sorted(names))}."
            + (f" Not read: {no}.\n" if no else "\n")
        )
    return "".join(lines)


READ: dict[str, set[str]] = {
    "optimizer": {
        *OPTIMIZERS,
        "LossScaleOptimizer",
        "LossScaleOptimizerV1",
        "LossScaleOptimizerV3",
        "MultiOptimizer",
    },
    "schedule": set(SCHEDULES),
    "loss": set(LOSSES),
    "metric": set(METRICS),
    "initializer": {n for n in INITIALIZERS.classes if n[0].isupper()},
    "regularizer": {n for n in REGULARIZERS.classes if n[0].isupper()},
    "constraint": {n for n in CONSTRAINTS.classes if n[0].isupper()},
    "dtype_policy": set(POLICIES),
}


def refused() -> str:
    """The classes that are not read, by reason, with the releases that have them."""
    by: dict[str, list[str]] = {}
    for name, why in sorted(UNSUPPORTED.items()):
        if name not in TRANSLATORS:
            have = span(aliased(name))
            by.setdefault(why, []).append(f"`{name}`" + (f" ({have})" if have else ""))
    return "".join(f"| {', '.join(names)} | refused: {why} |\n" for why, names in by.items())


def operations() -> str:
    """Operations as nodes of functional models."""
    out: dict[str, list[str]] = {}
    for name, why in OTHERS["op"].items():
        if name not in HANDLERS:
            out.setdefault(why, []).append(f"`{name}`")
    no = "".join(f"- {', '.join(sorted(names))}: {why}.\n" for why, names in out.items())
    said = [", ".join(f"`{n}`" for n in sorted(table)) for table in (HANDLERS, TENSORFLOW, GRAPH)]
    measured = MEASURED["keras.ops"]
    largest = max(measured["inference"], measured["training"])
    return (
        f"\n## Operations\n\nClasses of keras.ops (largest error {largest:.1e} over {measured['cases']} cases): {said[0]}.\n\n"
        f"Functions of tf.keras's nodes: {said[1]}.\n\nNodes of TensorFlow graphs: {said[2]}.\n\n"
        f"Refused with KC203:\n\n{no}"
    )


def page() -> str:
    """The text of docs/support.md."""
    tables = {names[0]: TRANSLATORS[names[0]].fields for names in groups()}
    compiled = {n: one.fields for n, one in OPTIMIZERS.items()} | {
        n: {**COMMON, **one.fields} for n, one in LOSSES.items()
    }
    compiled |= {n: fields for n, (fields, _) in SCHEDULES.items()}
    compiled |= {n: one.fields for n, one in INITIALIZERS.classes.items() if n[0].isupper()}
    return (
        f"{HEAD}{COLUMNS}{''.join(map(row, groups()))}{NOT_READ}{refused()}{operations()}"
        f"\n## Training, settings and dtypes\n\n{others()}{KEYS}{families()}"
        f"\n### Ignored, and why\n\n{reasons(lambda f: f.type is ignored, {**tables, **compiled})}"
        f"\n### Read in part, and why\n\nOther values are refused with KC204.\n\n{reasons(refuses, {**tables, **compiled})}"
    )


if __name__ == "__main__":
    (FOLDER / "support.md").write_text(page())
