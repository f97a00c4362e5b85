"""Recurrent layers."""

from __future__ import annotations

from tests.parity.harness import Case, Inner, case

LAYERS = ("SimpleRNN", "GRU", "LSTM")
X = (3, 5, 4)

CASES: list[Case] = [
    *(case(layer, x=X, units=6) for layer in LAYERS),
    *(case(layer, x=X, units=6, return_sequences=True) for layer in LAYERS),
    *(case(layer, x=X, units=6, go_backwards=True) for layer in LAYERS),
    *(case(layer, x=X, units=6, go_backwards=True, return_sequences=True) for layer in LAYERS),
    *(case(layer, x=(3, None, 4), feed=(3, 7, 4), units=1, return_sequences=True) for layer in LAYERS),
    *(case(layer, x=X, units=6, unroll=True, use_bias=False) for layer in LAYERS),
    *(case(layer, x=X, units=6, activation="relu", return_sequences=True) for layer in LAYERS),
    *(case(layer, x=X, units=6, activation="softmax") for layer in LAYERS),
    *(case(layer, x=X, units=6, trainable=False) for layer in LAYERS),
    *(case(layer, x=(3, 1, 4), units=6) for layer in LAYERS),
    *(case(layer, x=X, units=6, behind=True) for layer in LAYERS),
    *(case(layer, x=X, units=6, recurrent_activation="hard_sigmoid") for layer in ("GRU", "LSTM")),
    *(case("GRU", x=X, units=6, reset_after=False, return_sequences=s) for s in (False, True)),
    case("GRU", x=X, units=6, reset_after=False, use_bias=False),
    case("LSTM", x=(3, 2, 4), units=6, unit_forget_bias=False, activation="linear", recurrent_activation="tanh"),
    *(
        case("LSTM", x=X, units=6, activation=activation, return_sequences=True)
        for activation in ("gelu", "silu", "elu", "selu", "softsign", "softplus", "hard_sigmoid",
                           "leaky_relu", "relu6", "mish", "hard_tanh", "log_softmax", None)
    ),
]  # fmt: skip

M = (4, 6, 3)
STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}
MASKED = [
    *(
        case(layer, x=M, units=5, masked=True, return_sequences=s, go_backwards=b, zero_output_for_mask=z)
        for layer in LAYERS
        for s in (False, True)
        for b in (False, True)
        for z in (False, True)
    ),
    *(case(layer, x=M, units=5, masked=True, return_state=True, return_sequences=True) for layer in LAYERS),
    case("GRU", x=M, units=5, masked=True, reset_after=False),
    case("LSTM", x=(4, None, 3), feed=(4, 6, 3), units=5, masked=True, return_sequences=True),
]
WITH_STATES = [
    *(case(layer, x=X, units=6, return_state=True) for layer in LAYERS),
    *(
        case(layer, x=X, units=6, return_state=True, return_sequences=True, go_backwards=True)
        for layer in LAYERS
    ),
    *(
        case(
            layer, x=[X, *[(3, 6)] * STATES[layer]], units=6, states=True, return_state=r, return_sequences=s
        )
        for layer in LAYERS
        for r in (False, True)
        for s in (False, True)
    ),
    *(case(layer, x=[M, *[(4, 6)] * STATES[layer]], units=6, states=True, masked=True) for layer in LAYERS),
]
CELLS = ("SimpleRNNCell", "GRUCell", "LSTMCell")
CELLED = [
    *(case("RNN", x=X, cell=Inner(cell, units=6)) for cell in CELLS),
    *(case("RNN", x=M, cell=Inner(cell, units=6), return_sequences=True, masked=True) for cell in CELLS),
    case("RNN", x=X, cell=Inner("GRUCell", units=6, reset_after=False), return_state=True, go_backwards=True),
    case("RNN", x=X, cell=[Inner("LSTMCell", units=3), Inner("GRUCell", units=4), Inner("SimpleRNNCell", units=5)]),
    case("RNN", x=X, cell=[Inner("LSTMCell", units=3), Inner("LSTMCell", units=3)], return_sequences=True),
    case("RNN", x=X, cell=[Inner("GRUCell", units=3), Inner("LSTMCell", units=2)], return_state=True, go_backwards=True),
    *(
        case("RNN", x=M, cell=[Inner("GRUCell", units=3), Inner("LSTMCell", units=2)], masked=True, go_backwards=b,
             return_sequences=s, zero_output_for_mask=z)
        for b in (False, True)
        for s in (False, True)
        for z in (False, True)
    ),
]  # fmt: skip
CONVOLUTIONAL = [
    case("ConvLSTM1D", x=(2, 3, 6, 2), filters=3, kernel_size=3),
    case("ConvLSTM1D", x=(2, 3, 6, 2), filters=3, kernel_size=2, padding="same", return_sequences=True),
    case("ConvLSTM2D", x=(2, 3, 5, 4, 2), filters=3, kernel_size=3, padding="same"),
    case("ConvLSTM2D", x=(2, 3, 5, 4, 2), filters=3, kernel_size=[2, 3], return_sequences=True),
    case("ConvLSTM2D", x=(2, 3, 7, 6, 2), filters=3, kernel_size=3, strides=2, padding="same", return_sequences=True),
    case("ConvLSTM2D", x=(2, 3, 7, 6, 2), filters=3, kernel_size=2, dilation_rate=2, go_backwards=True),
    case("ConvLSTM2D", x=(2, 3, 2, 5, 4), filters=3, kernel_size=3, data_format="channels_first", return_sequences=True),
    case("ConvLSTM2D", x=(2, 3, 2, 5, 4), filters=3, kernel_size=3, data_format="channels_first", padding="same"),
    case("ConvLSTM2D", x=(2, 3, 5, 4, 2), filters=3, kernel_size=3, return_state=True, use_bias=False),
    case("ConvLSTM2D", x=(2, 3, 5, 4, 2), filters=3, kernel_size=3, activation="relu", recurrent_activation="hard_sigmoid"),
    case("ConvLSTM3D", x=(2, 3, 4, 3, 4, 2), filters=2, kernel_size=2, return_sequences=True),
]  # fmt: skip
CASES += [*MASKED, *WITH_STATES, *CELLED, *CONVOLUTIONAL]
