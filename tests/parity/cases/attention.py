"""Attention."""

from __future__ import annotations

from tests.parity.harness import Case, case

Q, V, K = (3, 4, 6), (3, 5, 6), (3, 5, 6)
CAUSAL, SCORES = {"use_causal_mask": True}, {"return_attention_scores": True}

CASES: list[Case] = [
    *(
        case(layer, x=xs, use_scale=scale)
        for layer in ("Attention", "AdditiveAttention")
        for xs in ([Q, V], [Q, V, K])
        for scale in (False, True)
    ),
    *(case(layer, x=[Q, V], call=call) for layer in ("Attention", "AdditiveAttention") for call in (CAUSAL, SCORES)),
    case("Attention", x=[Q, V], score_mode="concat"),
    case("Attention", x=[Q, V], score_mode="concat", use_scale=True),
    *(case(layer, x=xs, call=call) for layer in ("Attention", "AdditiveAttention") for call in ({}, CAUSAL, SCORES)
      for xs in ([(3, 2, 4, 6), (3, 2, 5, 6)], [(2, 3, 2, 4, 6)] * 3)),
    case("Attention", x=[(3, 2, 4, 6), (3, 2, 5, 6)], score_mode="concat", use_scale=True),
    *(case(layer, x=[(3, 6), (3, 6)]) for layer in ("Attention", "AdditiveAttention")),
    *(case(layer, x=[Q, V], masked=True) for layer in ("Attention", "AdditiveAttention")),
    *(case("MultiHeadAttention", x=xs, spread=True, num_heads=2, key_dim=3) for xs in ([Q, V], [Q, V, K])),
    case("MultiHeadAttention", x=[(3, 4, 6), (3, 5, 7), (3, 5, 2)], spread=True, num_heads=3, key_dim=2, value_dim=4),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, output_shape=5),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, use_bias=False),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, use_gate=True),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, sliding_window=2),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, attention_axes=[1]),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, trainable=False),
    case("MultiHeadAttention", x=[(3, None, 6), (3, None, 6)], feed=[Q, V], spread=True, num_heads=2, key_dim=3),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, call=CAUSAL),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, call=SCORES, says_less=True),
    case("MultiHeadAttention", x=[Q, V], spread=True, num_heads=2, key_dim=3, call=SCORES, says_less=True, masked=True),
    *(
        case("GroupQueryAttention", x=[Q, V], spread=True, head_dim=3, num_query_heads=4, num_key_value_heads=n)
        for n in (1, 2, 4)
    ),
    case("GroupQueryAttention", x=[Q, V, K], spread=True, head_dim=3, num_query_heads=4, num_key_value_heads=2,
         call=CAUSAL),
    case("GroupQueryAttention", x=[Q, V], spread=True, head_dim=3, num_query_heads=4, num_key_value_heads=2,
         use_bias=False),
]  # fmt: skip
