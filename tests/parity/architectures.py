"""Architectures of the kind that Keras's documentation shows, at small sizes, written for these tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers as KL
from keras import ops

BUILDERS: dict[str, Callable[[], Any]] = {}


def architecture(make: Callable[[], Any]) -> Callable[[], Any]:
    """Register a function that makes a model."""
    BUILDERS[make.__name__] = make
    return make


def _block(x: Any, filters: int, strides: int = 1, dilation: int = 1) -> Any:
    x = KL.Conv2D(filters, 3, strides=strides, dilation_rate=dilation, padding="same", use_bias=False)(x)
    return KL.ReLU()(KL.BatchNormalization()(x))


@architecture
def mnist_convnet() -> Any:
    x = KL.Input((28, 28, 1))
    h = KL.MaxPooling2D(2)(KL.Conv2D(8, 3, activation="relu")(KL.Rescaling(1 / 255)(x)))
    h = KL.MaxPooling2D(2)(KL.Conv2D(16, 3, activation="relu")(h))
    return keras.Model(x, KL.Dense(10, activation="softmax")(KL.Dropout(0.5)(KL.Flatten()(h))))


@architecture
def xception_like_classifier() -> Any:
    x = KL.Input((48, 48, 3))
    h = KL.RandomRotation(0.1)(KL.RandomFlip("horizontal")(x))
    h = _block(KL.Rescaling(1 / 255)(h), 8, 2)
    for filters in (12, 16):
        shortcut = KL.Conv2D(filters, 1, strides=2, padding="same")(h)
        for _ in range(2):
            h = KL.BatchNormalization()(
                KL.SeparableConv2D(filters, 3, padding="same")(KL.Activation("relu")(h))
            )
        h = KL.Add()([KL.MaxPooling2D(3, strides=2, padding="same")(h), shortcut])
    return keras.Model(x, KL.Dense(1)(KL.Dropout(0.25)(KL.GlobalAveragePooling2D()(h))))


@architecture
def residual_network() -> Any:
    x = KL.Input((32, 32, 3))
    h = _block(x, 8)
    for filters, strides in ((8, 1), (16, 2), (16, 1)):
        y = KL.BatchNormalization()(KL.Conv2D(filters, 3, padding="same")(_block(h, filters, strides)))
        if strides != 1 or h.shape[-1] != filters:
            h = KL.Conv2D(filters, 1, strides=strides)(h)
        h = KL.Activation("relu")(KL.Add()([h, y]))
    return keras.Model(x, KL.Dense(10, activation="softmax")(KL.Flatten()(KL.AveragePooling2D(8)(h))))


@architecture
def u_net_segmentation() -> Any:
    x = KL.Input((32, 32, 3))
    skips, h = [], x
    for filters in (4, 8):
        h = _block(_block(h, filters), filters)
        skips.append(h)
        h = KL.MaxPooling2D()(h)
    h = _block(h, 16)
    for filters, skip in zip((8, 4), reversed(skips), strict=True):
        h = KL.Concatenate()([KL.Conv2DTranspose(filters, 2, strides=2, padding="same")(h), skip])
        h = _block(h, filters)
    return keras.Model(x, KL.Conv2D(3, 1, activation="softmax")(h))


@architecture
def dilated_pyramid_segmentation() -> Any:
    x = KL.Input((32, 32, 3))
    low = _block(x, 8, 2)
    h = _block(low, 8, 2)
    pooled = KL.AveragePooling2D((8, 8))(h)
    pooled = KL.UpSampling2D((8, 8), interpolation="bilinear")(_block(pooled, 4))
    h = KL.Concatenate()([pooled, *(_block(h, 4, 1, rate) for rate in (1, 2, 3))])
    h = KL.UpSampling2D(2, interpolation="bilinear")(KL.Conv2D(8, 1, use_bias=False)(h))
    h = _block(KL.Concatenate()([h, KL.Conv2D(4, 1)(low)]), 8)
    return keras.Model(x, KL.Conv2D(5, 1)(KL.UpSampling2D(2, interpolation="bilinear")(h)))


@architecture
def vision_transformer() -> Any:
    x = KL.Input((24, 24, 3))
    h = KL.Reshape((36, 16))(KL.Conv2D(16, 4, strides=4)(x))
    for _ in range(2):
        n = KL.LayerNormalization(epsilon=1e-6)(h)
        h = KL.Add()([h, KL.MultiHeadAttention(2, 8, dropout=0.1)(n, n)])
        n = KL.LayerNormalization(epsilon=1e-6)(h)
        n = KL.Dropout(0.1)(KL.Dense(32, activation=keras.activations.gelu)(n))
        h = KL.Add()([h, KL.Dense(16, activation="gelu")(n)])
    h = KL.Dropout(0.5)(KL.Flatten()(KL.LayerNormalization(epsilon=1e-6)(h)))
    return keras.Model(x, KL.Dense(10)(h))


@architecture
def mlp_mixer() -> Any:
    x = KL.Input((24, 24, 3))
    h = KL.Reshape((36, 12))(KL.Conv2D(12, 4, strides=4)(x))
    for _ in range(2):
        n = KL.Permute((2, 1))(KL.LayerNormalization()(h))
        n = KL.Permute((2, 1))(KL.Dense(36)(KL.Dense(24, activation="gelu")(n)))
        h = KL.Add()([h, n])
        h = KL.Add()([h, KL.Dense(12)(KL.Dense(24, activation="gelu")(KL.LayerNormalization()(h)))])
    return keras.Model(x, KL.Dense(10)(KL.GlobalAveragePooling1D()(h)))


@architecture
def conv_mixer() -> Any:
    x = KL.Input((24, 24, 3))
    h = KL.BatchNormalization()(KL.Activation("gelu")(KL.Conv2D(12, 2, strides=2)(KL.Rescaling(1 / 255)(x))))
    for _ in range(2):
        n = KL.BatchNormalization()(KL.Activation("gelu")(KL.DepthwiseConv2D(5, padding="same")(h)))
        h = KL.BatchNormalization()(KL.Activation("gelu")(KL.Conv2D(12, 1)(KL.Add()([n, h]))))
    return keras.Model(x, KL.Dense(10, activation="softmax")(KL.GlobalAveragePooling2D()(h)))


@architecture
def squeeze_and_excitation() -> Any:
    x = KL.Input((20, 20, 3))
    h = _block(x, 8)
    s = KL.Reshape((1, 1, 8))(KL.GlobalAveragePooling2D()(h))
    h = KL.Multiply()([h, KL.Dense(8, activation="sigmoid")(KL.Dense(2, activation="relu")(s))])
    return keras.Model(x, KL.Dense(4)(KL.GlobalMaxPooling2D()(h)))


@architecture
def denoising_autoencoder() -> Any:
    x = KL.Input((28, 28, 1))
    h = x
    for _ in range(2):
        h = KL.MaxPooling2D(2, padding="same")(KL.Conv2D(8, 3, activation="relu", padding="same")(h))
    for _ in range(2):
        h = KL.Conv2DTranspose(8, 3, strides=2, activation="relu", padding="same")(h)
    return keras.Model(x, KL.Conv2D(1, 3, activation="sigmoid", padding="same")(h))


@architecture
def variational_encoder_and_decoder() -> Any:
    x = KL.Input((28, 28, 1))
    h = KL.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    h = KL.Dense(16, activation="relu")(
        KL.Flatten()(KL.Conv2D(8, 3, strides=2, padding="same", activation="relu")(h))
    )
    mean = KL.Dense(2, name="mean")(h)
    decoder = keras.Sequential(
        [
            KL.Input((2,)), KL.Dense(7 * 7 * 8, activation="relu"), KL.Reshape((7, 7, 8)),
            KL.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
            KL.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
            KL.Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
        ]
    )  # fmt: skip
    return keras.Model(x, [decoder(mean), mean, KL.Dense(2, name="ln_var")(h)])


@architecture
def gan_generator() -> Any:
    z = KL.Input((16,))
    h = KL.Reshape((4, 4, 8))(KL.LeakyReLU(negative_slope=0.2)(KL.Dense(4 * 4 * 8)(z)))
    for filters in (8, 4):
        h = KL.Conv2DTranspose(filters, 4, strides=2, padding="same")(h)
        h = KL.LeakyReLU(negative_slope=0.2)(h)
    return keras.Model(z, KL.Conv2D(3, 5, padding="same", activation="sigmoid")(h))


@architecture
def gan_discriminator() -> Any:
    x = KL.Input((28, 28, 1))
    h = KL.LeakyReLU(negative_slope=0.2)(KL.Conv2D(8, 5, strides=2, padding="same")(KL.ZeroPadding2D(2)(x)))
    h = KL.Dropout(0.3)(KL.LeakyReLU(negative_slope=0.2)(KL.Conv2D(16, 5, strides=2, padding="same")(h)))
    return keras.Model(x, KL.Dense(1)(KL.Flatten()(h)))


@architecture
def image_translation_generator() -> Any:
    x = KL.Input((24, 24, 3))

    def normed(h: Any) -> Any:
        return KL.Activation("relu")(KL.GroupNormalization(groups=-1)(h))

    h = normed(KL.Conv2D(4, 7, use_bias=False)(KL.ZeroPadding2D(3)(x)))
    h = normed(KL.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(h))
    n = normed(KL.Conv2D(8, 3, use_bias=False)(KL.ZeroPadding2D(1)(h)))
    h = KL.Add()([h, KL.GroupNormalization(groups=-1)(KL.Conv2D(8, 3, padding="same")(n))])
    h = normed(KL.Conv2DTranspose(4, 3, strides=2, padding="same", use_bias=False)(h))
    return keras.Model(x, KL.Activation("tanh")(KL.Conv2D(3, 7, padding="same")(h)))


@architecture
def super_resolution() -> Any:
    x = KL.Input((None, None, 1))
    h = KL.Conv2D(16, 5, padding="same", activation="relu", kernel_initializer="orthogonal")(x)
    h = KL.Conv2D(9, 3, padding="same", activation="relu")(
        KL.Conv2D(8, 3, padding="same", activation="relu")(h)
    )
    return keras.Model(x, KL.Conv2D(1, 3, padding="same")(KL.UpSampling2D(3, interpolation="bilinear")(h)))


@architecture
def ct_scan_classifier() -> Any:
    x = KL.Input((16, 16, 12, 1))
    h = KL.BatchNormalization()(KL.MaxPool3D(2)(KL.Conv3D(4, 3, activation="relu", padding="same")(x)))
    h = KL.BatchNormalization()(KL.MaxPool3D(2)(KL.Conv3D(8, 3, activation="relu")(h)))
    return keras.Model(x, KL.Dense(1, activation="sigmoid")(KL.Dropout(0.3)(KL.GlobalAveragePooling3D()(h))))


@architecture
def next_frame_prediction() -> Any:
    x = KL.Input((4, 12, 12, 1))
    h = KL.BatchNormalization()(
        KL.ConvLSTM2D(4, 5, padding="same", return_sequences=True, activation="relu")(x)
    )
    h = KL.ConvLSTM2D(4, 3, padding="same", return_sequences=True, activation="relu")(h)
    return keras.Model(x, KL.Conv3D(1, 3, activation="sigmoid", padding="same")(h))


@architecture
def captcha_reader() -> Any:
    x = KL.Input((40, 16, 1))
    h = KL.MaxPooling2D(2)(KL.Conv2D(8, 3, activation="relu", padding="same")(x))
    h = KL.MaxPooling2D(2)(KL.Conv2D(8, 3, activation="relu", padding="same")(h))
    h = KL.Dropout(0.2)(KL.Dense(16, activation="relu")(KL.Reshape((10, 32))(h)))
    h = KL.Bidirectional(KL.LSTM(8, return_sequences=True, dropout=0.25))(h)
    return keras.Model(x, KL.Dense(20, activation="softmax")(h))


@architecture
def bidirectional_lstm_on_text() -> Any:
    x = KL.Input((None,), dtype="int32")
    h = KL.Bidirectional(KL.LSTM(8, return_sequences=True))(KL.Embedding(50, 8)(x))
    return keras.Model(x, KL.Dense(1, activation="sigmoid")(KL.Bidirectional(KL.LSTM(8))(h)))


@architecture
def masked_text_classifier() -> Any:
    x = KL.Input((12,), dtype="int32")
    h = KL.GRU(8)(KL.Embedding(50, 8, mask_zero=True)(x))
    return keras.Model(x, KL.Dense(3, activation="softmax")(h))


@architecture
def convolutional_text_classifier() -> Any:
    x = KL.Input((40,), dtype="int32")
    h = KL.Dropout(0.5)(KL.Embedding(50, 8)(x))
    h = KL.Conv1D(8, 7, padding="valid", activation="relu", strides=3)(h)
    h = KL.GlobalMaxPooling1D()(KL.Conv1D(8, 7, padding="valid", activation="relu", strides=1)(h))
    return keras.Model(x, KL.Dense(1, activation="sigmoid")(KL.Dense(8, activation="relu")(h)))


@architecture
def transformer_text_classifier() -> Any:
    x = KL.Input((16,), dtype="int32")
    h = KL.Embedding(50, 8)(x)
    a = KL.MultiHeadAttention(2, 8)(h, h)
    h = KL.LayerNormalization(epsilon=1e-6)(KL.Add()([h, KL.Dropout(0.1)(a)]))
    f = KL.Dense(8)(KL.Dense(16, activation="relu")(h))
    h = KL.LayerNormalization(epsilon=1e-6)(KL.Add()([h, f]))
    return keras.Model(x, KL.Dense(2, activation="softmax")(KL.GlobalAveragePooling1D()(h)))


@architecture
def causal_language_model() -> Any:
    x = KL.Input((14,), dtype="int32")
    h = KL.Embedding(40, 12)(x)
    a = KL.MultiHeadAttention(3, 4)(h, h, use_causal_mask=True)
    h = KL.LayerNormalization()(h + a)
    h = KL.LayerNormalization()(h + KL.Dense(12)(KL.Dense(24, activation="relu")(h)))
    return keras.Model(x, KL.Dense(40)(h))


@architecture
def sequence_to_sequence() -> Any:
    source, target = KL.Input((None, 9)), KL.Input((None, 7))
    _, h, c = KL.LSTM(8, return_state=True)(source)
    y, _, _ = KL.LSTM(8, return_sequences=True, return_state=True)(target, initial_state=[h, c])
    return keras.Model([source, target], KL.Dense(7, activation="softmax")(y))


@architecture
def attention_over_an_encoder() -> Any:
    query, value = KL.Input((6,), dtype="int32"), KL.Input((9,), dtype="int32")
    table = KL.Embedding(30, 8)
    conv = KL.Conv1D(8, 3, padding="same")
    q, v = conv(table(query)), conv(table(value))
    a = KL.GlobalAveragePooling1D()(KL.Attention()([q, v]))
    return keras.Model([query, value], KL.Dense(1)(KL.Concatenate()([KL.GlobalAveragePooling1D()(q), a])))


@architecture
def time_series_transformer() -> Any:
    x = KL.Input((30, 1))
    h = x
    for _ in range(2):
        n = KL.Dropout(0.25)(KL.MultiHeadAttention(key_dim=8, num_heads=2, dropout=0.25)(h, h))
        r = KL.LayerNormalization(epsilon=1e-6)(n) + h
        n = KL.Dropout(0.25)(KL.Conv1D(4, 1, activation="relu")(r))
        h = KL.LayerNormalization(epsilon=1e-6)(KL.Conv1D(1, 1)(n)) + r
    h = KL.GlobalAveragePooling1D(data_format="channels_last")(h)
    return keras.Model(x, KL.Dense(2, activation="softmax")(KL.Dense(8, activation="relu")(h)))


@architecture
def time_series_autoencoder() -> Any:
    model = [
        KL.Input((24, 1)),
        KL.Conv1D(8, 7, padding="same", strides=2, activation="relu"),
        KL.Dropout(0.2),
    ]
    model += [KL.Conv1D(4, 7, padding="same", strides=2, activation="relu")]
    model += [KL.Conv1DTranspose(4, 7, padding="same", strides=2, activation="relu"), KL.Dropout(0.2)]
    model += [KL.Conv1DTranspose(8, 7, padding="same", strides=2, activation="relu")]
    return keras.Sequential([*model, KL.Conv1DTranspose(1, 7, padding="same")])


@architecture
def causal_wave_network() -> Any:
    x = KL.Input((40, 1))
    h, skips = KL.Conv1D(8, 1)(x), []
    for rate in (1, 2, 4):
        a = KL.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation="tanh")(h)
        b = KL.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation="sigmoid")(h)
        s = KL.Conv1D(8, 1)(KL.Multiply()([a, b]))
        skips.append(s)
        h = KL.Add()([h, s])
    return keras.Model(x, KL.Conv1D(4, 1)(KL.Activation("relu")(KL.Add()(skips))))


@architecture
def wide_and_deep() -> Any:
    number, category = KL.Input((5,)), KL.Input((1,), dtype="int32")
    wide = KL.Flatten()(KL.Embedding(12, 4)(category))
    deep = KL.Normalization(mean=[0.1] * 5, variance=[2.0] * 5)(number)
    for units in (8, 8):
        deep = KL.Dropout(0.2)(KL.ReLU()(KL.BatchNormalization()(KL.Dense(units)(deep))))
    return keras.Model([number, category], KL.Dense(1, activation="sigmoid")(KL.Concatenate()([wide, deep])))


@architecture
def collaborative_filtering() -> Any:
    user, item = KL.Input((1,), dtype="int32"), KL.Input((1,), dtype="int32")
    a, b = KL.Flatten()(KL.Embedding(20, 6)(user)), KL.Flatten()(KL.Embedding(30, 6)(item))
    biases = [KL.Flatten()(KL.Embedding(n, 1)(i)) for n, i in ((20, user), (30, item))]
    return keras.Model([user, item], KL.Activation("sigmoid")(KL.Add()([KL.Dot(1)([a, b]), *biases])))


@architecture
def siamese_distance() -> Any:
    a, b = KL.Input((16, 16, 1)), KL.Input((16, 16, 1))
    tower = keras.Sequential(
        [KL.Input((16, 16, 1)), KL.BatchNormalization(), KL.Conv2D(4, 5, activation="tanh"), KL.AveragePooling2D(2),
         KL.Flatten(), KL.BatchNormalization(), KL.Dense(10, activation="tanh")]
    )  # fmt: skip
    squares = ops.sum(ops.square(tower(a) - tower(b)), axis=1, keepdims=True)
    distance = ops.sqrt(ops.maximum(squares, 1e-7))
    return keras.Model([a, b], KL.Dense(1, activation="sigmoid")(KL.BatchNormalization()(distance)))


@architecture
def detection_pyramid() -> Any:
    x = KL.Input((32, 32, 3))
    c3 = _block(_block(x, 8, 2), 8, 2)
    c4 = _block(c3, 12, 2)
    p4 = KL.Conv2D(8, 1)(c4)
    p3 = KL.Conv2D(8, 3, padding="same")(KL.Conv2D(8, 1)(c3) + KL.UpSampling2D(2)(p4))
    p5 = KL.Conv2D(8, 3, 2, "same")(p4)
    head = keras.Sequential(
        [
            KL.Input((None, None, 8)),
            KL.Conv2D(8, 3, padding="same"),
            KL.ReLU(),
            KL.Conv2D(4, 3, padding="same"),
        ]
    )
    return keras.Model(x, KL.Concatenate(axis=1)([KL.Reshape((-1, 4))(head(p)) for p in (p3, p4, p5)]))


@architecture
def video_classifier() -> Any:
    frames = KL.Input((5, 12, 12, 3))
    per_frame = keras.Sequential(
        [KL.Input((12, 12, 3)), KL.Conv2D(4, 3, activation="relu"), KL.GlobalAveragePooling2D()]
    )
    h = KL.GRU(8, return_sequences=True)(KL.TimeDistributed(per_frame)(frames))
    return keras.Model(frames, KL.Dense(3, activation="softmax")(KL.Dropout(0.4)(KL.GRU(4)(h))))


@architecture
def actor_and_critic() -> Any:
    x = KL.Input((4,))
    h = KL.Dense(16, activation="relu")(x)
    return keras.Model(x, [KL.Dense(2, activation="softmax")(h), KL.Dense(1)(h)])
