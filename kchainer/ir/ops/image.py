"""Images: augmentation, which does something in training only, and contrast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from kchainer.ir.op import Layout, Op, Shape, ShapeError, attr, axes_of, op
from kchainer.ir.ops.spatial import DataFormat, join, parts

FORMAT = "where the channels stand"


@op
class Augmentation(Op):
    """Changes images at random in a way that is not computed here: identity at inference; training raises.

    Input   x  any rank.
    Raises  TrainingError when it is called in training.
    Source  the image augmentations of keras.layers.
    """

    layout: ClassVar[Layout] = "any"
    kind: str = attr(doc="Keras's class")

    def infer(self, x: Shape) -> Shape:
        return x


@op
class RandomFlip(Op):
    """Images mirrored at random in training, each with probability 1/2.

    Input   x  (N, H, W, C) or (N, C, H, W).
    Source  keras.layers.RandomFlip.
    """

    layout: ClassVar[Layout] = "spatial"
    horizontal: bool = attr(doc="left and right change places", spec=True)
    vertical: bool = attr(doc="top and bottom change places", spec=True)
    together: bool = attr(doc="one draw for both (Keras 3)", spec=True)
    data_format: DataFormat = attr(doc=FORMAT, spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        parts(x, self.data_format, 2)
        return x


@op
class RandomBrightness(Op):
    """A random number added to each image in training, then clipped to ``value_range``.

    Input   x  (N, H, W, C) or (N, C, H, W).
    Source  keras.layers.RandomBrightness.
    """

    layout: ClassVar[Layout] = "any"
    factor: tuple[float, float] = attr(doc="least and largest share of the range that is added")
    value_range: tuple[float, float] = attr(doc="least and largest value", spec=(0.0, 255.0))

    def infer(self, x: Shape) -> Shape:
        return x


@op
class RandomContrast(Op):
    """Distances from the mean of each channel multiplied by a random number in training.

    Input   x  (N, H, W, C) or (N, C, H, W).
    Source  keras.layers.RandomContrast; Keras 3 draws for each image, tf.keras for a batch.
    """

    layout: ClassVar[Layout] = "spatial"
    factor: tuple[float, float] = attr(doc="least and largest factor")
    value_range: tuple[float, float] = attr(doc="to which it is clipped", spec=(0.0, 255.0))
    each: bool = attr(doc="a draw for each image", spec=True)
    data_format: DataFormat = attr(doc=FORMAT, spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        parts(x, self.data_format, 2)
        return x


@op
class RandomColours(Op):
    """The colours of each image changed at random in training, in one of the ways that Keras has a layer for.

    Input   x  (N, H, W, C) or (N, C, H, W); float, three channels but for invert, posterization, sharpness, solarization.
    Source  keras.layers.RandomHue, RandomSaturation, RandomGrayscale, RandomInvert, RandomColorDegeneration,
            RandomPosterization (no gradient), RandomSharpness, Solarization.
    """

    layout: ClassVar[Layout] = "spatial"
    change: Literal[
        "hue",
        "saturation",
        "grayscale",
        "invert",
        "degeneration",
        "posterization",
        "sharpness",
        "solarization",
    ] = attr(doc="which")
    factor: tuple[float, float] = attr(
        doc="least and largest number that is drawn; solarization: of what is added"
    )
    second: tuple[float, float] = attr(doc="solarization: of the threshold", spec=(0.0, 0.0))
    value_range: tuple[float, float] = attr(doc="least and largest value", spec=(0.0, 255.0))
    data_format: DataFormat = attr(doc=FORMAT, spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, _ = parts(x, self.data_format, 2)
        if self.change in ("hue", "saturation", "grayscale", "degeneration") and channels not in (None, 3):
            raise ShapeError(f"{self.change} of {channels} channels, where 3 are needed")
        return x


@op
class MixUp(Op):
    """Each image of a batch mixed with another one in training; labels stay as they are.

    Input   x  any rank.
    Source  keras.layers.MixUp on images alone; Zhang et al. 2017, arXiv:1710.09412.
    """

    layout: ClassVar[Layout] = "any"
    alpha: float = attr(doc="both numbers of the beta distribution of the share", spec=0.2, above=0)

    def infer(self, x: Shape) -> Shape:
        return x


@op
class RandomBlur(Op):
    """Images blurred by a normal kernel, drawn for a batch, in training, each with a chance of its own.

    Input   x  (N, H, W, C) or (N, C, H, W); float.
    Source  keras.layers.RandomGaussianBlur.
    """

    layout: ClassVar[Layout] = "spatial"
    factor: tuple[float, float] = attr(doc="least and largest chance")
    size: int = attr(doc="pixels of a side of the kernel, odd", spec=3, minimum=1)
    sigma: tuple[float, float] = attr(doc="least and largest deviation")
    value_range: tuple[float, float] = attr(doc="to which it is clipped", spec=(0.0, 255.0))
    data_format: DataFormat = attr(doc=FORMAT, spec="channels_last")

    def check(self) -> Iterator[str]:
        if self.size % 2 == 0:
            yield f"a kernel of {self.size} pixels has no middle"

    def infer(self, x: Shape) -> Shape:
        parts(x, self.data_format, 2)
        return x


@op
class RandomErasing(Op):
    """A rectangle of an image filled in training.

    Input   x  (N, H, W, C) or (N, C, H, W); float.
    Source  keras.layers.RandomErasing.
    """

    layout: ClassVar[Layout] = "spatial"
    factor: tuple[float, float] = attr(doc="least and largest chance")
    scale: tuple[float, float] = attr(doc="least and largest square of the share of a side")
    fill: tuple[float, ...] | None = attr(doc="one number, or one for each channel; null: noise", spec=None)
    value_range: tuple[float, float] = attr(doc="least and largest value", spec=(0.0, 255.0))
    data_format: DataFormat = attr(doc=FORMAT, spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        parts(x, self.data_format, 2)
        return x


@op
class RandomAffine(Op):
    """Images turned, moved, enlarged or sheared at random in training, each for itself: one of the four.

    Input   x  (N, H, W, C) or (N, C, H, W).
    Source  keras.layers.RandomRotation, RandomTranslation, RandomZoom, RandomShear; pixels outside as Keras on PyTorch has them.
    """

    layout: ClassVar[Layout] = "spatial"
    rotation: tuple[float, float] | None = attr(doc="least and largest turn, in whole turns", spec=None)
    down: tuple[float, float] | None = attr(doc="shift in parts of the height", spec=None)
    across: tuple[float, float] | None = attr(doc="shift in parts of the width", spec=None)
    zoom_height: tuple[float, float] | None = attr(doc="what comes to the height that is seen", spec=None)
    zoom_width: tuple[float, float] | None = attr(doc="likewise; null: the proportion stays", spec=None)
    shear_across: tuple[float, float] | None = attr(doc="columns that a row further down moves", spec=None)
    shear_down: tuple[float, float] | None = attr(doc="rows that a column further right moves", spec=None)
    interpolation: Literal["nearest", "bilinear"] = attr(doc="how", spec="bilinear")
    fill_mode: Literal["constant", "nearest", "reflect", "wrap", "mirror"] = attr(
        doc="what is outside of the image", spec="reflect"
    )
    fill_value: float = attr(doc="of the mode constant", spec=0.0)
    data_format: DataFormat = attr(doc=FORMAT, spec="channels_last")

    def check(self) -> Iterator[str]:
        moved = self.down is not None or self.across is not None
        sheared = self.shear_across is not None
        if (self.rotation is not None) + moved + (self.zoom_height is not None) + sheared != 1:
            yield "one of a rotation, a shift, a zoom and a shear is given"
        if sheared != (self.shear_down is not None):
            yield "a shear goes across and down"
        if self.zoom_width is not None and self.zoom_height is None:
            yield "a zoom of the width needs one of the height"

    def infer(self, x: Shape) -> Shape:
        parts(x, self.data_format, 2)
        return x


@op
class RandomCrop(Op):
    """A window of the images in training, the same for a batch.

    Input   x  (N, H, W, C) or (N, C, H, W).
    Output  y  at inference ``x`` as it is (identity), or its largest middle part of the proportion, resized (resize).
               In training smaller images are always resized.
    Source  keras.layers.RandomCrop: identity since Keras 3.6.
    """

    layout: ClassVar[Layout] = "spatial"
    height: int = attr(doc="pixels", minimum=1)
    width: int = attr(doc="pixels", minimum=1)
    inference: Literal["identity", "resize"] = attr(doc="what is done at inference")
    data_format: DataFormat = attr(doc=FORMAT, spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        channels, sizes = parts(x, self.data_format, 2)
        wanted = (self.height, self.width)
        if self.inference == "resize" or sizes == wanted:
            return join(x, self.data_format, channels, wanted)
        return join(x, self.data_format, channels, (None, None))


@op
class AutoContrast(Op):
    """Values spread over ``value_range``, for each image and for each place along the other axes than ``axes``.

    Input   x  any rank; float.
    Output  y  of the shape of ``x``; what has one value only stays.
    Source  keras.layers.AutoContrast.
    """

    layout: ClassVar[Layout] = "axes"
    axes: tuple[int, int] = attr(
        doc="over which the least and largest value are sought", spec=(1, 2), minimum=1
    )
    value_range: tuple[float, float] = attr(doc="least and largest value", spec=(0.0, 255.0))

    def check(self) -> Iterator[str]:
        if self.value_range[0] >= self.value_range[1]:
            yield "value_range is empty"

    def infer(self, x: Shape) -> Shape:
        axes_of(x, *self.axes)
        return x


@op
class Equalize(Op):
    """Histograms made even, by channel: over a batch in training, identity at inference (batch); or by tile (tiles).

    Input   x  (N, H, W, C) or (N, C, H, W); no gradient.
    Source  keras.layers.Equalization; ContrastLimitedAdaptiveHistogramEqualization.
    """

    layout: ClassVar[Layout] = "spatial"
    over: Literal["batch", "tiles"] = attr(doc="whose histogram")
    bins: int = attr(doc="of the histogram of a batch", spec=256, minimum=2)
    clip: float = attr(
        doc="the most that a bin of a tile holds, in units of the mean; 0: any", spec=0.0, minimum=0
    )
    tiles: tuple[int, int] = attr(doc="rows and columns of tiles", spec=(8, 8), minimum=1)
    value_range: tuple[float, float] = attr(doc="least and largest value", spec=(0.0, 255.0))
    data_format: DataFormat = attr(doc=FORMAT, spec="channels_last")

    def infer(self, x: Shape) -> Shape:
        parts(x, self.data_format, 2)
        return x
