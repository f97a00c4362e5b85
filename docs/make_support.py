"""Writes docs/support.md from the table of translators: ``python docs/make_support.py``."""

from __future__ import annotations

from pathlib import Path

HEAD = """# What is supported

Made by `python docs/make_support.py` from the translators' own tables; a test holds both in step. Inference agrees
with Keras 3.15 (run beside us) at 1e-5 of each output's scale in float32, gradients and running statistics too,
where `tests/parity` has the class; older releases agree with recorded outputs (`tests/recorded`).

Any class that is not listed is refused with KC201, any key that is not listed with KC103, `Lambda` and other code in
a file with KC202. Preprocessing and SpectralNormalization are not read yet, nor is the CustomScaleLayer of
keras.applications.InceptionResNetV2.

Known differences:

- AveragePooling with padding `same` where the two sides differ: Keras on PyTorch repeats the border, Keras on
  TensorFlow and JAX leaves the padding out of the mean. kchainer does the latter, so a file trained on PyTorch
  differs at the border (28 to 56 % of the scale in the cases measured).
- Masks of outputs do not reach a loss yet. A shared recurrent layer that is called with a mask in one place and
  without one in another is refused (KC301), and so is `time_major`.
- A query of MultiHeadAttention that a mask lets see nothing: Keras on PyTorch gives its weights another gradient than
  their value has. Maxima that occur several times: Chainer gives each the whole gradient, Keras parts it.
- In training only: BatchNormalization's running variance of Keras 1.2.2 on Theano (the batch's plus epsilon) and the
  zero-debiased statistics of Keras 2.1.3 to 2.2.5 on TensorFlow are not reproduced; the plain rules are used.
- Regularizers, constraints, optimizers and losses of a file are not read.
- A Keras 1.2.2 PReLU with `shared_axes` is refused (KC403): the config does not hold them.
- Keras 1 YAML files that hold NumPy scalars as Python objects are refused (KC202).

| Keras class | keys |
| --- | --- |
"""


def page() -> str:
    """The text of docs/support.md."""
    import kchainer.frontends.keras.layers
    from kchainer.frontends.keras.translate import TRANSLATORS

    assert kchainer.frontends.keras.layers
    rows = [
        f"| {name} | {', '.join(f'`{key}`' for key in translator.fields) or 'none of its own'} |\n"
        for name, translator in sorted(TRANSLATORS.items())
    ]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    (Path(__file__).parent / "support.md").write_text(page())
