"""Dense layers."""

from __future__ import annotations

from tests.parity.harness import Case, case

FUNCTIONS = (
    "linear relu relu6 leaky_relu elu celu gelu selu sigmoid tanh softplus softsign silu hard_sigmoid hard_silu "
    "hard_tanh hard_shrink soft_shrink tanh_shrink squareplus exponential log_sigmoid mish softmax log_softmax "
    "sparse_plus sparse_sigmoid sparsemax"
).split()
CASES: list[Case] = [
    case("Dense", x=(3, 5), units=4),
    case("Dense", x=(3, 5), units=4, use_bias=False),
    case("Dense", x=(3, 6, 5), units=4),
    case("Dense", x=(3, 2, 6, 5), units=4, use_bias=False),
    case("Dense", x=(3, 2, 6, 5), units=4, behind=True),
    case("Dense", x=(3, 6, 5), units=4, behind=True),
    case("Dense", x=(3, 2, 3, 6, 5), units=4, use_bias=False, behind=True),
    case("Dense", x=(3, None, 5), feed=(3, 7, 5), units=4),
    case("Dense", x=(3, 5), units=4, trainable=False),
    case(
        "EinsumDense",
        x=(3, 6, 5),
        equation="abc,cd->abd",
        output_shape=(None, 4),
        bias_axes="d",
        says_less=True,
    ),
    case("EinsumDense", x=(3, 6, 5), equation="abc,cd->abd", output_shape=(6, 4)),
    case("EinsumDense", x=(3, 6, 5), equation="abc,cde->abde", output_shape=(6, 2, 4), bias_axes="de"),
    case("EinsumDense", x=(3, 5), equation="ab,bc->ac", output_shape=4, bias_axes="c"),
    case("EinsumDense", x=(3, 6, 5), equation="...x,xy->...y", output_shape=4, bias_axes="y"),
    case("Identity", x=(3, 5)),
    *(case("Dense", x=(3, 5), units=4, activation=name) for name in FUNCTIONS),
]
