"""Embeddings."""

from __future__ import annotations

from kchainer.ir.op import Op, Param, Shape, attr, op


@op
class Embedding(Op):
    """Rows of a table by their numbers.

    Input   x  any rank; whole numbers (also as floats) in [0, input_dim).
    Output  y  shape of ``x`` and one more axis of ``output_dim``; float.
    Params  embeddings (input_dim, output_dim).
    Source  keras.layers.Embedding. Row 0 is an ordinary row, also where it stands for a mask.
    """

    input_dim: int = attr(doc="rows of the table", minimum=1)
    output_dim: int = attr(doc="length of a row", minimum=1)
    dropout: float = attr(doc="part of the rows dropped in training, whole", spec=0.0, minimum=0, below=1)

    def params(self, x: Shape) -> tuple[Param, ...]:
        return (Param("embeddings", (self.input_dim, self.output_dim), "VF"),)

    def infer(self, x: Shape) -> Shape:
        return (*x, self.output_dim)


@op
class EmbeddingTable(Op):
    """The table of an Embedding itself, for layers that look rows up and multiply by them too.

    Output  y  (input_dim, output_dim).
    Params  embeddings, of that shape; not trainable unless ``learns``.
    Source  keras.layers.ReversibleEmbedding.
    """

    input_dim: int = attr(doc="rows of the table", minimum=1)
    output_dim: int = attr(doc="length of a row", minimum=1)
    learns: bool = attr(doc="training changes it; not where it came quantised", spec=True)

    def params(self) -> tuple[Param, ...]:
        return (Param("embeddings", (self.input_dim, self.output_dim), "VF", trainable=self.learns),)

    def infer(self) -> Shape:
        return (self.input_dim, self.output_dim)
