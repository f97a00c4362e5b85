"""Writes docs/support.md from the table of translators: ``python docs/make_support.py``."""

from __future__ import annotations

from pathlib import Path

HEAD = """# What is supported

Made by `python docs/make_support.py` from the translators' own tables; a test holds both in step. Inference agrees
with Keras 3.15 (run beside us) at 1e-5 of each output's scale in float32, gradients and running statistics too,
where `tests/parity` has the class; older releases agree with recorded outputs (`tests/recorded`).

Any class that is not listed is refused with KC201 (the second table says why), any key that is not listed with
KC103, `Lambda` and other code in a file with KC202. Initializers, regularizers and constraints of every release are
read, those of Keras's own classes; a name that is none of them is refused, also where weights take an initializer's place.

Policies `float32`, `float64` and `float16` are computed as they are. A model of a mixed or bfloat16 policy, or of
several dtypes, is refused with KC206; with `--allow KC206` it is computed in float32 (float64 where a layer is), and
its outputs differ by the rounding of 16 bits. Stored float16 and bfloat16 weights are read exactly.

Quantised Dense, EinsumDense, Embedding and ReversibleEmbedding of Keras 3 are computed as Keras does: int8, int4 (blocks
too) and float8. Files of GPTQ and AWQ lack their zero points (Keras 3.15 cannot load them either) and are refused.

Operation nodes of functional models (`keras.ops` of Keras 3; `TFOpLambda`, `SlicingOpLambda` and `TensorFlowOpLayer`
of tf.keras) are read where the table at the end has the operation; others, and arguments whose result has a shape that
depends on values, are refused with KC203.

Known differences:

- AveragePooling with padding `same` where the two sides differ: Keras on PyTorch repeats the border, Keras on
  TensorFlow and JAX leaves the padding out of the mean. kchainer does the latter, so a file trained on PyTorch
  differs at the border (28 to 56 % of the scale in the cases measured).
- Compiled settings are read of every release: optimizer with its state, losses, metrics, weights of losses. A custom
  loss, metric or optimizer is a warning (KC501), and only training by the file is then refused. The state of a
  MultiOptimizer, and of tf.keras's LossScaleOptimizer, is not read (KC502): the optimizer begins anew. Keras 1 counts
  no steps for RMSprop, Adagrad and Adadelta, so that a file of theirs with `decay` does the same. Regularizers
  EigenvalueRegularizer and constraints RadialConstraint are refused in training.
- LayerNormalization over one axis that is not the last: Keras 3.15 on PyTorch hands it to a kernel that normalises
  the last axes whatever the axis is, so it fails, or is wrong where the sizes agree. kchainer normalises that axis.
- A call that stores `training=True` (a Dropout that stays on) in a file of Keras 2 is refused (KC205); one that stores
  `training=False` is read with a warning, since it differs in training only. Keras 3 heeds neither.
- A model of Keras 1.2 without weights has no `shared_axes` of PReLU, as in Keras itself: only the array tells them.
- Random augmentations other than RandomFlip, RandomCrop, RandomBrightness, RandomContrast, RandomRotation,
  RandomTranslation and RandomZoom are the identity at inference, as in Keras, and raise an error in training.
- A vocabulary that was adapted stands in `.keras` files only; JSON and `.h5` with one are refused with KC401.
- ContrastLimitedAdaptiveHistogramEqualization: Keras on PyTorch cuts the limit of a bin to a whole number, Keras on
  TensorFlow and JAX does not, nor does kchainer.
- The legacy `.h5` of a bfloat16 model is refused (KC404): Keras writes two bytes each and nothing that tells what they are.
- Masks of outputs do not reach a loss yet. A shared recurrent layer that is called with a mask in one place and
  without one in another is refused (KC301), and so is `time_major`.
- A query of MultiHeadAttention that a mask lets see nothing: Keras on PyTorch gives its weights another gradient than
  their value has. Maxima that occur several times: Chainer gives each the whole gradient, Keras parts it.

| Keras class | keys |
| --- | --- |
"""


WHY = """
## What is not read

| Keras class | why |
| --- | --- |
"""


def page() -> str:
    """The text of docs/support.md."""
    import kchainer.frontends.keras.layers
    from kchainer.frontends.keras.translate import TRANSLATORS
    from kchainer.frontends.keras.unsupported import UNSUPPORTED

    assert kchainer.frontends.keras.layers
    rows = [
        f"| {name} | {', '.join(f'`{key}`' for key in translator.fields) or 'none of its own'} |\n"
        for name, translator in sorted(TRANSLATORS.items())
    ]
    reasons: dict[str, list[str]] = {}
    for name, reason in UNSUPPORTED.items():
        if name not in TRANSLATORS:
            reasons.setdefault(reason, []).append(f"`{name}`")
    why = [f"| {', '.join(sorted(names))} | {reason} |\n" for reason, names in reasons.items()]
    from kchainer.frontends.keras.layers.making import HANDLERS
    from kchainer.frontends.keras.layers.operations import GRAPH, TENSORFLOW

    names = ", ".join(f"`{name}`" for name in sorted(HANDLERS))
    tensorflow = ", ".join(f"`{name}`" for name in sorted(TENSORFLOW))
    graph = ", ".join(f"`{name}`" for name in sorted(GRAPH))
    operations = (
        f"\n## Operations\n\nClasses of keras.ops: {names}.\n\nFunctions of tf.keras's nodes: {tensorflow}.\n\n"
        f"Nodes of TensorFlow graphs: {graph}.\n"
    )
    return HEAD + "".join(rows) + operations + WHY + "".join(why)


if __name__ == "__main__":
    (Path(__file__).parent / "support.md").write_text(page())
