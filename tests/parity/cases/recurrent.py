"""Recurrent layers."""

from __future__ import annotations

from tests.parity.harness import Case, case

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
    case("LSTM", x=X, units=6, unit_forget_bias=False, activation="linear", recurrent_activation="tanh"),
    *(
        case("LSTM", x=X, units=6, activation=activation, return_sequences=True)
        for activation in ("gelu", "silu", "elu", "selu", "softsign", "softplus", "hard_sigmoid", "exponential",
                           "leaky_relu", "relu6", "mish", "hard_tanh", "log_softmax", None)
    ),
]  # fmt: skip
