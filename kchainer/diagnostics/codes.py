"""The table of codes. A code never changes its meaning; a new meaning is a new code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, for `kchainer explain` and docs/codes.md."""

    code: str
    title: str
    explanation: str
    example: str


_ROWS = (
    (
        "KC101",
        "file cannot be read",
        "The file is missing, may not be read, or is no regular file. Directories, pipes, sockets and devices "
        "are refused before anything is read from them.",
        "model.h5: error[KC101]: cannot read the file: no such file or directory",
    ),
    (
        "KC102",
        "not valid JSON or YAML",
        "The text breaks the rules of its format: a syntax error, bytes that are not UTF-8, NaN or Infinity, "
        "trailing text, or an object that is not at the top.",
        'model.json:3:14: error[KC102]: not valid JSON: expecting "," delimiter',
    ),
    (
        "KC103",
        "unknown key",
        "A key that no supported Keras release writes there. Nothing is ignored in silence, because an ignored "
        "key may change what the model computes.",
        'model.json:1:412: error[KC103]: unknown key `paddding` of Conv2D "conv_1"',
    ),
    (
        "KC104",
        "wrong type or value",
        "A key has a value of another type than it needs, or one outside its range. A boolean is no number, "
        "64.0 is no 64.",
        'model.json: error[KC104]: `filters` of Conv2D "conv_1" is not a positive whole number',
    ),
    (
        "KC105",
        "missing key",
        "A key is missing that has no default in the release that wrote the file.",
        'model.json: error[KC105]: Dense "dense_1" has no `units`',
    ),
    (
        "KC106",
        "unknown kind of file",
        "The kind of a file is decided by its content. It is none that can be read, or it is another one than "
        "the name says. Pickle, NumPy, PyTorch and SavedModel files are not read.",
        "model.pkl: error[KC106]: a pickle file, which may hold code, is not read",
    ),
    (
        "KC107",
        "duplicate key",
        "The same key stands twice in one object. With different values this is an error, since readers "
        "disagree on which one counts; with equal values it is a warning.",
        "model.json: error[KC107]: key `units` stands twice, with different values",
    ),
    (
        "KC108",
        "which Keras wrote this?",
        "The file does not say which release or backend of Keras wrote it, and the possible ones differ in "
        "what the model computes. State it, for instance with --dialect.",
        "model.json: error[KC108]: `dim_ordering` is missing, and the backend that wrote the file is unknown",
    ),
    (
        "KC109",
        "unknown version",
        "The file states a version of kchainer's own format that this kchainer does not know.",
        "model.json: error[KC109]: version 9 of the spec is newer than this kchainer",
    ),
    (
        "KC201",
        "layer not supported",
        "There is no translation for this class. A translator of your own can be registered from Python.",
        'model.json: error[KC201]: layer class `Masking2D` of "mask" is not supported',
    ),
    (
        "KC202",
        "code in the file",
        "The file names code (a Lambda, a custom class or function, an import path) that would have to be run. "
        "kchainer never runs anything a file holds or names, and no option changes that.",
        'model.keras: error[KC202]: Lambda "scale" holds Python code, which is never run',
    ),
    (
        "KC203",
        "operation not supported",
        "A node of the graph is a bare operation (keras.ops or TensorFlow) without a translation.",
        "model.keras: error[KC203]: operation `einsum` is not supported",
    ),
    (
        "KC204",
        "value not supported",
        "The key is known and the value is legal Keras, but Chainer or kchainer has nothing that computes it.",
        "model.json: error[KC204]: `activity_regularizer` other than null is not supported",
    ),
    (
        "KC205",
        "needs a feature that is not there yet",
        "The model is legal and the feature is planned, but this release lacks it.",
        "model.json: error[KC205]: masks through Concatenate are not supported yet",
    ),
    (
        "KC206",
        "only close to what the file says",
        "The model can be computed, but not in the precision that the file asks for: layers of a mixed or bfloat16 "
        "policy, or of several dtypes, would all be computed in one. Inputs and outputs keep their meaning and differ "
        'by rounding. Allow it with --allow KC206 (in Python allow=("KC206",)); it is then a warning.',
        "model.keras: error[KC206]: layers ask for mixed_float16, and all would be computed in float32",
    ),
    (
        "KC207",
        "trains otherwise than in Keras",
        "Inference is the same; in training something learns that Keras holds fixed, or the other way round.",
        'model.keras: warning[KC207]: LoRA of Dense "dense" is merged into its kernel, which learns here and not in Keras',
    ),
    (
        "KC301",
        "shapes disagree",
        "The shapes that arrive at a layer do not fit it or each other.",
        'model.json: error[KC301]: Add "add_1" cannot join its inputs',
    ),
    (
        "KC302",
        "dangling reference",
        "A layer, node or tensor is named that the file does not define; also an index out of range.",
        'model.json: error[KC302]: "add_1" takes its input from "conv_9", which does not exist',
    ),
    (
        "KC303",
        "cycle",
        "A layer needs its own output. The message shows one round of the cycle.",
        'model.json: error[KC303]: the graph has a cycle: "a" -> "b" -> "a"',
    ),
    (
        "KC304",
        "duplicate name",
        "Two layers of one network have the same name, so that references to it are ambiguous.",
        'model.json: error[KC304]: two layers are named "conv_1"',
    ),
    (
        "KC305",
        "shape unknown",
        "A shape is needed and the file does not state it.",
        'model.json: error[KC305]: the input shape of "dense_1" is unknown',
    ),
    (
        "KC306",
        "layer without use",
        "No output of the network needs this layer. It is left out.",
        'model.json: warning[KC306]: no output needs "dropout_2"',
    ),
    (
        "KC401",
        "missing weight",
        "A layer has a parameter for which the file holds no array.",
        'model.h5: error[KC401]: no array for `bias` of "conv_1"',
    ),
    (
        "KC402",
        "tensor without use",
        "The file holds an array that no layer of the model takes.",
        "model.h5: warning[KC402]: nothing uses /model_weights/old_dense/kernel:0",
    ),
    (
        "KC403",
        "shape of a weight disagrees",
        "An array of the file has another shape than the parameter it is meant for. Arrays are never broadcast "
        "or transposed to make them fit.",
        'model.h5: error[KC403]: `kernel` of "dense_1" has another shape than the layer',
    ),
    (
        "KC404",
        "type of data not supported",
        "The array is stored as something other than 16, 32 or 64 bit floats, bfloat16, whole numbers or "
        "booleans, or by a filter other than shuffle, deflate, fletcher32 and lzf.",
        "model.h5: error[KC404]: /layers/a/vars/0 holds references, which are not supported",
    ),
    (
        "KC405",
        "layer names disagree",
        "Weights were matched by order, as Keras does, and the names in the weight file are not those of the "
        "model. Layers of equal shape may be swapped without anybody noticing.",
        'model.h5: warning[KC405]: weights of "dense_2" are loaded into "dense_1"',
    ),
    (
        "KC406",
        "other outputs than the test vector",
        "A converted folder gives other outputs on its test vector (`check.npz`) than when it was written: a file of "
        "it was changed, or this machine computes otherwise. `kchainer verify` shows by how much.",
        "gender/check.npz: error[KC406]: the outputs differ from the test vector by 0.31 of their scale",
    ),
    (
        "KC407",
        "no weights",
        "The model has parameters and no weights were given, or none for some layers: with `by_name` or "
        "`skip_mismatch`. They start as their initializers say.",
        "model.json: warning[KC407]: no weights were given for 12 layers",
    ),
    (
        "KC501",
        "training setting not supported",
        "The optimizer, loss, metric or schedule that the file names cannot be translated. The network can.",
        "model.h5: warning[KC501]: optimizer `Ftrl` is not supported",
    ),
    (
        "KC502",
        "state of the optimizer not read",
        "The file holds moments and a count of steps in an order or form that is not known. An optimizer made from "
        "the file begins anew.",
        "model.keras: warning[KC502]: the state of the optimizer is not read: the order of its arrays is not known for this release",
    ),
    (
        "KC503",
        "nothing to train by",
        "A training step was asked for of a model whose file names no optimizer and loss, or names some that are "
        "not supported.",
        "model.h5: error[KC503]: the file holds no compiled settings",
    ),
    (
        "KC901",
        "limit exceeded",
        "The file is larger or deeper than a limit that protects memory and time. Raise the limit by name if "
        "you trust the file.",
        "model.json: error[KC901]: the text is nested deeper than the limit `depth`",
    ),
    (
        "KC902",
        "refused HDF5 structure",
        "The HDF5 file uses what would reach outside the file or what Keras never writes: external or soft "
        "links, external storage, virtual datasets, shared messages, objects of unknown kind.",
        "model.h5: error[KC902]: /model_weights/x is an external link",
    ),
    (
        "KC903",
        "refused zip structure",
        "The .keras archive uses what Keras never writes: two members of one name, encryption, links, unknown "
        "compression, or headers that disagree.",
        "model.keras: error[KC903]: two members are named `config.json`",
    ),
    (
        "KC904",
        "output refused",
        "The output would overwrite the input, or something that is no regular file is in its place.",
        "error[KC904]: the output is the input",
    ),
    (
        "KC905",
        "damaged file",
        "The file is cut off, a checksum fails, or its structure contradicts itself. Copy or save it again.",
        "model.h5: error[KC905]: the file is damaged: 1,024 bytes of data lie outside of it",
    ),
    (
        "KC906",
        "output could not be written",
        "The operating system refused the write; what was there before is unchanged.",
        "out/model.json: error[KC906]: cannot write the file: no space left on device",
    ),
)

CODES: dict[str, Code] = {row[0]: Code(*row) for row in _ROWS}

_HEADINGS = {
    "KC1": "The file",
    "KC2": "Not supported",
    "KC3": "Shapes and graph",
    "KC4": "Weights",
    "KC5": "Training",
    "KC9": "Limits, safety, output",
}


def codes_page() -> str:
    """docs/codes.md: every code with its explanation and an example."""
    parts = ["# Codes\n\nGenerated from the table in `kchainer/diagnostics/codes.py`; do not edit.\n"]
    for prefix, heading in _HEADINGS.items():
        parts.append(f"## {heading}\n")
        parts += [_section(code) for name, code in CODES.items() if name.startswith(prefix)]
    return "\n".join(parts)


def _section(code: Code) -> str:
    return f"### {code.code}: {code.title}\n\n{code.explanation}\n\n    {code.example}\n"
