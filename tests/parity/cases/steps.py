"""Layers around layers."""

from __future__ import annotations

from tests.parity.harness import Case, Inner, case

X, M = (3, 5, 4), (4, 6, 3)
LAYERS = ("SimpleRNN", "GRU", "LSTM")
MODES = ("concat", "sum", "ave", "mul", None)

CASES: list[Case] = [
    *(
        case("Bidirectional", x=X, layer=Inner(layer, units=3, return_sequences=s), merge_mode=mode)
        for layer in LAYERS
        for s in (False, True)
        for mode in MODES
    ),
    *(
        case("Bidirectional", x=M, layer=Inner(layer, units=4, return_sequences=s), merge_mode=mode, masked=True)
        for layer in LAYERS
        for s in (False, True)
        for mode in ("concat", "sum")
    ),
    *(
        case("Bidirectional", x=X, layer=Inner(layer, units=3, return_sequences=s, return_state=True))
        for layer in LAYERS
        for s in (False, True)
    ),
    case("Bidirectional", x=X, layer=Inner("LSTM", units=3, return_state=True), merge_mode=None),
    case("Bidirectional", x=X, layer=Inner("LSTM", units=3, go_backwards=True),
         backward_layer=Inner("LSTM", units=3)),
    case("Bidirectional", x=X, layer=Inner("LSTM", units=3, return_sequences=True),
         backward_layer=Inner("GRU", units=2, return_sequences=True, go_backwards=True),
         says_less=True),
    case("Bidirectional", x=X, layer=Inner("RNN", cell=Inner("LSTMCell", units=3), return_sequences=True)),
    case("Bidirectional", x=(3, None, 4), feed=(3, 7, 4), layer=Inner("GRU", units=3, return_sequences=True)),
    case("Bidirectional", x=[X, *[(3, 3)] * 4], layer=Inner("LSTM", units=3), states=True),
    case("Bidirectional", x=[X, *[(3, 3)] * 2], layer=Inner("GRU", units=3, return_sequences=True), states=True),
    case("Bidirectional", x=X, layer=Inner("LSTM", units=3), trainable=False),
    case("Bidirectional", x=(2, 3, 5, 4, 2), layer=Inner("ConvLSTM2D", filters=3, kernel_size=3)),
    case("TimeDistributed", x=X, layer=Inner("Dense", units=3)),
    case("TimeDistributed", x=X, layer=Inner("Dense", units=3, activation="softmax")),
    case("TimeDistributed", x=M, layer=Inner("Dense", units=3), masked=True),
    case("TimeDistributed", x=(3, None, 4), feed=(3, 7, 4), layer=Inner("Dense", units=3)),
    case("TimeDistributed", x=(2, 3, 6, 5, 2), layer=Inner("Conv2D", filters=3, kernel_size=3)),
    case("TimeDistributed", x=(2, 3, 6, 5, 2), layer=Inner("MaxPooling2D")),
    case("TimeDistributed", x=(2, 3, 6, 5, 2), layer=Inner("Flatten")),
    case("TimeDistributed", x=(2, 3, 6, 5, 2), layer=Inner("BatchNormalization")),
    case("TimeDistributed", x=(2, 3, 6, 5, 2), layer=Inner("BatchNormalization", trainable=False)),
    case("TimeDistributed", x=(2, 3, 6, 4), layer=Inner("LSTM", units=3)),
    case("TimeDistributed", x=(2, 3, 6, 4), layer=Inner("Bidirectional", layer=Inner("LSTM", units=3))),
    case("TimeDistributed", x=(2, 3, 6, 4), layer=Inner("TimeDistributed", layer=Inner("Dense", units=3))),
    case("TimeDistributed", x=(2, 3, 6), high=5, layer=Inner("Embedding", input_dim=5, output_dim=3)),
]  # fmt: skip
