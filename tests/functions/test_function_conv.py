"""Convolutions against keras.ops, channels first."""

from __future__ import annotations

import chainer
import keras
import numpy as np
import pytest

import kchainer.functions as KF

K = keras.ops

# spatial sizes, kernel, stride, dilate, groups, padding
CONVOLUTIONS = [
    ((7,), (3,), (1,), (1,), 1, "valid"),
    ((8,), (4,), (1,), (1,), 1, "same"),
    ((9,), (4,), (2,), (1,), 2, "same"),
    ((9,), (3,), (1,), (2,), 2, "same"),
    ((7, 8), (3, 3), (1, 1), (1, 1), 1, "valid"),
    ((7, 8), (3, 3), (2, 2), (1, 1), 1, "same"),
    ((6, 8), (3, 3), (2, 2), (1, 1), 1, "same"),
    ((6, 9), (2, 4), (1, 1), (1, 1), 2, "same"),
    ((6, 9), (1, 1), (3, 3), (1, 1), 1, "same"),
    ((8, 9), (3, 2), (1, 1), (2, 3), 2, "same"),
    ((4, 5, 6), (3, 2, 3), (1, 1, 1), (1, 1, 1), 1, "valid"),
    ((4, 5, 6), (3, 2, 3), (2, 2, 2), (1, 1, 1), 2, "same"),
    ((5, 5, 6), (2, 2, 3), (1, 1, 1), (2, 1, 2), 2, "same"),
]


def last(W):
    """(out, in, k...) as Keras's (k..., in, out)."""
    return W.permute((*range(2, W.ndim), 1, 0))


@pytest.mark.parametrize(("sizes", "k", "s", "d", "groups", "padding"), CONVOLUTIONS)
def test_convolution(sizes, k, s, d, groups, padding, compare, draw):
    pads = "same_upper" if padding == "same" else tuple((0, 0) for _ in k)

    def theirs(x, W, b):
        y = K.conv(x, last(W), s, padding, data_format="channels_first", dilation_rate=d)
        return y + b.reshape(1, -1, *(1 for _ in k))

    def ours(x, W, b):
        return KF.convolution(x, W, b, s, pads, d, groups)

    compare(ours, theirs, draw(2, 4, *sizes), draw(6, 4 // groups, *k), draw(6))


@pytest.mark.parametrize(("sizes", "k", "s"), [((9,), (3,), 2), ((7, 8), (3, 2), 1), ((7, 8), (3, 3), 2)])
def test_depthwise_convolution(sizes, k, s, compare, draw):
    def theirs(x, W):
        kernel = W.reshape(3, 2, *k).permute((*range(2, W.ndim), 0, 1))
        return K.depthwise_conv(x, kernel, s, "same", data_format="channels_first")

    compare(
        lambda x, W: KF.depthwise_convolution(x, W, None, s, "same_upper"),
        theirs,
        draw(2, 3, *sizes),
        draw(6, 1, *k),
    )


def test_same_pads_put_the_rest_after():
    assert KF.same_pads((5, 6, 4), (2, 3, 1), (1, 2, 3)) == ((0, 1), (0, 1), (0, 0))


def test_pad_and_crop(draw):
    x = draw(1, 1, 3, 4)
    y = KF.pad(x, ((1, -1), (-1, 2)), 5.0).array
    assert y.shape == (1, 1, 3, 5)
    np.testing.assert_array_equal(y[0, 0, 1:, :3], x[0, 0, :2, 1:])
    assert (y[0, 0, 0] == 5).all()


@pytest.mark.parametrize("crops", [((1, 2), (0, 1)), ((0, -2), (-1, 1)), ((2, 0), (1, 1))])
def test_deconvolution_is_the_cropped_full_one(crops, draw):
    x, W, b = draw(2, 3, 4, 5), draw(3, 2, 3, 4), draw(2)
    full = KF.deconvolution(x, W, None, 2).array
    wanted = KF.pad(full, [(-begin, -end) for begin, end in crops]).array + b.reshape(1, 2, 1, 1)
    np.testing.assert_allclose(KF.deconvolution(x, W, b, 2, crops).array, wanted, atol=1e-12)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_half_precision(ndim, draw):
    sizes = (6,) * ndim
    x, W = draw(1, 2, *sizes).astype("e"), draw(4, 1, *(2,) * ndim).astype("e")
    assert KF.convolution(x, W, None, 1, "same_upper", groups=2).dtype == np.float16
    assert KF.deconvolution(x, W.swapaxes(0, 1).repeat(2, 0), None, 2).dtype == np.float16


def test_unknown_pads_are_refused(draw):
    with pytest.raises(ValueError, match="same_upper"):
        KF.convolution(draw(1, 1, 3), draw(1, 1, 3), pads="same")
    with pytest.raises(ValueError, match="2 pairs"):
        KF.convolution(draw(1, 1, 3), draw(1, 1, 3), pads=((0, 0), (0, 0)))
    assert isinstance(KF.convolution(draw(1, 1, 3), draw(1, 1, 3)), chainer.Variable)
