"""Links that Chainer lacks or means otherwise than Keras; channels first, any device."""

from kchainer.links.activation import ParametricSoftplus, PReLU, SReLU
from kchainer.links.arrays import Constant, Parameter
from kchainer.links.attention import Attention, MultiHeadAttention
from kchainer.links.conv import Convolution, Deconvolution, DepthwiseConvolution, SeparableConvolution
from kchainer.links.dense import EinsumDense, EmbedID, Linear, RandomFourierFeatures
from kchainer.links.frozen import FrozenParameter, freeze
from kchainer.links.legacy import Highway, LocallyConnected, MaxoutDense
from kchainer.links.masking import MaskedBatchNormalization
from kchainer.links.minibatch import MinibatchDiscrimination
from kchainer.links.norm import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    LayerScale,
    Normalization,
    RMSNormalization,
)
from kchainer.links.preprocessing import CrossHash, EncodeCategories, Hash, Lookup
from kchainer.links.quantized import Float8
from kchainer.links.recurrent import GRU, LSTM, ConvLSTM, Recurrent, SimpleRNN
from kchainer.links.sound import Spectrogram
from kchainer.links.weightnorm import (
    WeightNormalizedConvolution,
    WeightNormalizedDeconvolution,
    WeightNormalizedLinear,
    start_weight_normalization,
)
from kchainer.links.wrap import LowRank, SpectralNormalization

__all__ = [
    "GRU",
    "LSTM",
    "Attention",
    "BatchNormalization",
    "Constant",
    "ConvLSTM",
    "Convolution",
    "CrossHash",
    "Deconvolution",
    "DepthwiseConvolution",
    "EinsumDense",
    "EmbedID",
    "EncodeCategories",
    "Float8",
    "FrozenParameter",
    "GroupNormalization",
    "Hash",
    "Highway",
    "LayerNormalization",
    "LayerScale",
    "Linear",
    "LocallyConnected",
    "Lookup",
    "LowRank",
    "MaskedBatchNormalization",
    "MaxoutDense",
    "MinibatchDiscrimination",
    "MultiHeadAttention",
    "Normalization",
    "PReLU",
    "Parameter",
    "ParametricSoftplus",
    "RMSNormalization",
    "RandomFourierFeatures",
    "Recurrent",
    "SReLU",
    "SeparableConvolution",
    "SimpleRNN",
    "SpectralNormalization",
    "Spectrogram",
    "WeightNormalizedConvolution",
    "WeightNormalizedDeconvolution",
    "WeightNormalizedLinear",
    "freeze",
    "start_weight_normalization",
]
