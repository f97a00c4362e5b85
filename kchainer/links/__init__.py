"""Links that Chainer lacks or means otherwise than Keras; channels first, any device."""

from kchainer.links.activation import ParametricSoftplus, PReLU, SReLU
from kchainer.links.arrays import Constant
from kchainer.links.conv import Convolution, Deconvolution, DepthwiseConvolution, SeparableConvolution
from kchainer.links.dense import EinsumDense, EmbedID, Linear
from kchainer.links.frozen import FrozenParameter, freeze
from kchainer.links.minibatch import MinibatchDiscrimination
from kchainer.links.norm import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    LayerScale,
    Normalization,
    RMSNormalization,
)
from kchainer.links.weightnorm import (
    WeightNormalizedConvolution,
    WeightNormalizedDeconvolution,
    WeightNormalizedLinear,
    start_weight_normalization,
)
from kchainer.links.wrap import SpectralNormalization

__all__ = [
    "BatchNormalization",
    "Constant",
    "Convolution",
    "Deconvolution",
    "DepthwiseConvolution",
    "EinsumDense",
    "EmbedID",
    "FrozenParameter",
    "GroupNormalization",
    "LayerNormalization",
    "LayerScale",
    "Linear",
    "MinibatchDiscrimination",
    "Normalization",
    "PReLU",
    "ParametricSoftplus",
    "RMSNormalization",
    "SReLU",
    "SeparableConvolution",
    "SpectralNormalization",
    "WeightNormalizedConvolution",
    "WeightNormalizedDeconvolution",
    "WeightNormalizedLinear",
    "freeze",
    "start_weight_normalization",
]
