"""Hypothesis draws specs of models; Keras is asked whether it takes a layer on a value, else another is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import assume
from hypothesis import strategies as st

from tests.fuzz import specs
from tests.fuzz.specs import Json, Values

T = TypeVar("T")
MOST_VALUES = 2500
SMOOTH = ("linear", "tanh", "sigmoid", "elu", "selu", "softplus", "softsign", "swish", "gelu", "mish", "leaky_relu",
          "softmax", "log_sigmoid", "celu", "tanh_shrink", "squareplus", "glu")  # fmt: skip
KINKED = (
    "relu",
    "relu6",
    "hard_sigmoid",
    "hard_tanh",
    "hard_swish",
    "soft_shrink",
    "hard_shrink",
    "sparse_plus",
    "threshold",
)


class Draw:
    """Choices, the first of each the simplest."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.has_maxima = False

    def pick(self, given: Sequence[T]) -> T:
        """One of a list."""
        one: T = self.draw(st.sampled_from(given))
        return one

    def whole(self, low: int, high: int) -> int:
        """A whole number."""
        return int(self.draw(st.integers(low, high)))

    def chance(self, percent: int) -> bool:
        """True so often."""
        return self.whole(0, 99) >= 100 - percent

    def activation(self) -> str:
        """A name; those that give equal values are not drawn beside maxima, whose gradients would be tied."""
        return self.pick(SMOOTH if self.has_maxima else SMOOTH + KINKED)


Shape = tuple[int, ...]
Maker = Callable[[Draw, Shape], Json]


def some(d: Draw, **given: Callable[[], Any]) -> Json:
    """Some of the optional arguments."""
    return {key: value() for key, value in given.items() if d.chance(35)}


def _bias_and_activation(d: Draw) -> Json:
    return some(d, use_bias=lambda: False, activation=d.activation)


def _format(d: Draw) -> str:
    return d.pick(("channels_last", "channels_first"))


def _parts(s: Shape, data_format: str) -> tuple[int, Shape]:
    return (s[0], s[1:]) if data_format == "channels_first" else (s[-1], s[:-1])


def conv(name: str, rank: int) -> Maker:
    """Convolutions of all kinds."""

    def make(d: Draw, s: Shape) -> Json:
        data_format = _format(d)
        channels, _ = _parts(s, data_format)
        config: Json = {"kernel_size": [d.whole(1, 3) for _ in range(rank)], "data_format": data_format}
        config["padding"] = d.pick(("valid", "same", "causal") if name == "Conv1D" else ("valid", "same"))
        if d.chance(50):
            config["strides"] = [d.whole(1, 3) for _ in range(rank)]
        elif d.chance(30):
            config["dilation_rate"] = [d.whole(1, 2) for _ in range(rank)]
        if name.startswith("Depthwise"):
            config |= some(d, depth_multiplier=lambda: 2)
        else:
            config["filters"] = d.whole(1, 4)
        if name.startswith("Separable"):
            config |= some(d, depth_multiplier=lambda: 2)
        if "Transpose" in name and "strides" in config and d.chance(20):
            config["output_padding"] = [0 if n == 1 else d.whole(0, n - 1) for n in config["strides"]]
        if name.startswith("Conv") and "Transpose" not in name and d.chance(20):
            config["groups"] = math.gcd(channels, 2)
            config["filters"] *= config["groups"]
        return config | _bias_and_activation(d)

    return make


def pool(rank: int, averages: bool) -> Maker:
    """Pooling; means with uneven padding are left out, where Keras on PyTorch repeats the border."""

    def make(d: Draw, s: Shape) -> Json:
        data_format = _format(d)
        size = [d.whole(1, 3) for _ in range(rank)]
        strides = [d.whole(1, 3) for _ in range(rank)] if d.chance(60) else size
        config: Json = {"pool_size": size, "data_format": data_format, "padding": d.pick(("valid", "same"))}
        if strides is not size:
            config["strides"] = strides
        if averages and config["padding"] == "same":
            spatial = _parts(s, data_format)[1]
            needs = [
                max((-(-n // t) - 1) * t + k - n, 0) for n, k, t in zip(spatial, size, strides, strict=True)
            ]
            if any(n % 2 for n in needs):
                config["padding"] = "valid"
        return config

    return make


def _global(d: Draw, s: Shape) -> Json:
    return {"data_format": _format(d)} | some(d, keepdims=lambda: True)


def _adaptive(rank: int) -> Maker:
    return lambda d, s: {"output_size": [d.whole(1, 3) for _ in range(rank)], "data_format": _format(d)}


def _axis(d: Draw, s: Shape) -> int:
    return d.pick((-1, *range(1, len(s) + 1)))


def _batch_norm(d: Draw, s: Shape) -> Json:
    return {"axis": _axis(d, s)} | some(
        d, scale=lambda: False, center=lambda: False, momentum=lambda: 0.7, epsilon=lambda: 0.01
    )


def _layer_norm(d: Draw, s: Shape) -> Json:
    axis = [len(s) - 1, len(s)] if len(s) > 1 and d.chance(25) else _axis(d, s)
    return {"axis": axis} | some(d, scale=lambda: False, center=lambda: False, epsilon=lambda: 0.01)


def _group_norm(d: Draw, s: Shape) -> Json:
    axis = d.pick((-1, 1))
    return {"groups": d.pick((math.gcd(s[-1 if axis < 0 else 0], 2), -1, 1)), "axis": axis}


def _says_nothing(node: Json, s: Shape) -> bool:
    """A normalisation that float32 cannot be compared by, or that Keras on PyTorch computes otherwise.

    A single value less its mean is rounding alone, which a BatchNormalization behind it makes large; and one axis
    that is not the last is normalised as if it were (docs/support.md).
    """
    config, s = node.get("config", {}), tuple(d or 5 for d in s)
    if node.get("layer") == "GroupNormalization":
        groups = config["groups"] if config["groups"] > 0 else s[-1 if config["axis"] < 0 else 0]
        return math.prod(s) == groups
    if node.get("layer") != "LayerNormalization":
        return False
    axes = config["axis"] if isinstance(config["axis"], list) else [config["axis"]]
    counted = [a - 1 if a > 0 else a + len(s) for a in axes]
    return math.prod(s[a] for a in counted) == 1 or (len(counted) == 1 and counted[0] != len(s) - 1)


def _padding(rank: int) -> Maker:
    def make(d: Draw, s: Shape) -> Json:
        pairs = [[d.whole(0, 2), d.whole(0, 2)] for _ in range(rank)]
        key_values: Json = {} if rank == 1 and d.chance(60) else {"data_format": _format(d)}
        return {"padding": pairs if rank > 1 else pairs[0]} | key_values

    return make


def _cropping(rank: int) -> Maker:
    def make(d: Draw, s: Shape) -> Json:
        pairs = [[d.whole(0, 1), d.whole(0, 1)] for _ in range(rank)]
        return {"cropping": pairs if rank > 1 else pairs[0]} | (
            {} if rank == 1 else {"data_format": _format(d)}
        )

    return make


def _up(rank: int) -> Maker:
    def make(d: Draw, s: Shape) -> Json:
        if rank == 1:
            return {"size": d.whole(1, 2)}
        out: Json = {"size": [d.whole(1, 2) for _ in range(rank)], "data_format": _format(d)}
        if rank == 2 and d.chance(40):
            out["interpolation"] = "bilinear"
        return out

    return make


def _reshape(d: Draw, s: Shape) -> Json:
    n = math.prod(s)
    divisors = [k for k in range(1, n + 1) if n % k == 0]
    first = d.pick(divisors)
    rest = n // first
    if d.chance(40):
        second = d.pick([k for k in range(1, rest + 1) if rest % k == 0])
        return {"target_shape": [first, second, -1 if d.chance(50) else rest // second]}
    return {"target_shape": [first, -1 if d.chance(50) else rest]}


def _permute(d: Draw, s: Shape) -> Json:
    return {"dims": list(d.draw(st.permutations(range(1, len(s) + 1))))}


def _recurrent(name: str, *, sequences: bool | None = None) -> Maker:
    def make(d: Draw, s: Shape) -> Json:
        config: Json = {"units": d.whole(1, 4)}
        config |= some(
            d,
            use_bias=lambda: False,
            activation=lambda: d.pick(("tanh", "sigmoid", "softsign", "elu", "linear")),
        )
        config |= some(d, go_backwards=lambda: True, unroll=lambda: True, zero_output_for_mask=lambda: True)
        if name != "SimpleRNN":
            config |= some(d, recurrent_activation=lambda: d.pick(("sigmoid", "hard_sigmoid", "tanh")))
        if name == "GRU":
            config |= some(d, reset_after=lambda: False)
        config["return_sequences"] = d.chance(60) if sequences is None else sequences
        return config

    return make


def _with_state(maker: Maker) -> Maker:
    return lambda d, s: maker(d, s) | some(d, return_state=lambda: True)


def _cell(d: Draw, s: Shape) -> Json:
    def one() -> Json:
        return {"layer": d.pick(("SimpleRNNCell", "GRUCell", "LSTMCell")), "config": {"units": d.whole(1, 4)}}

    cell = one() if d.chance(60) else [one(), one()]
    return {"cell": cell, "return_sequences": d.chance(50)} | some(
        d, go_backwards=lambda: True, return_state=lambda: True
    )


def _conv_lstm(rank: int) -> Maker:
    def make(d: Draw, s: Shape) -> Json:
        config: Json = {"filters": d.whole(1, 3), "kernel_size": [d.whole(1, 3) for _ in range(rank)]}
        config |= {
            "padding": d.pick(("valid", "same")),
            "return_sequences": d.chance(50),
            "data_format": _format(d),
        }
        return config | some(d, go_backwards=lambda: True, use_bias=lambda: False)

    return make


def _bidirectional(d: Draw, s: Shape) -> Json:
    name = d.pick(("LSTM", "GRU", "SimpleRNN"))
    inner = {"layer": name, "config": _recurrent(name)(d, s)}
    inner["config"].pop("go_backwards", None)
    return {"layer": inner, "merge_mode": d.pick(("concat", "sum", "mul", "ave", None))}


def _time_distributed(d: Draw, s: Shape) -> Json:
    # Softmax: Keras hands it the mask of a step, which fits where batch and features are equally many only
    without = ("TimeDistributed", "SpectralNormalization", "Softmax")
    name = d.pick([n for n in BY_RANK[len(s) - 1] if n not in without])
    return {"layer": {"layer": name, "config": BY_RANK[len(s) - 1][name](d, s[1:])}}


def _spectral(d: Draw, s: Shape) -> Json:
    name = {1: "Dense", 2: "Conv1D", 3: "Conv2D", 4: "Conv3D"}[len(s)]
    return {"layer": {"layer": name, "config": BY_RANK[len(s)][name](d, s)}}


def _einsum(d: Draw, s: Shape) -> Json:
    letters = "abcde"[: len(s) + 1]
    n = d.whole(1, 4)
    equation = f"{letters},{letters[-1]}z->{letters[:-1]}z"
    return {"equation": equation, "output_shape": [*s[:-1], n]} | some(
        d, bias_axes=lambda: "z", activation=d.activation
    )


def _nothing(d: Draw, s: Shape) -> Json:
    return {}


def _prelu(d: Draw, s: Shape) -> Json:
    return some(d, shared_axes=lambda: [1]) if len(s) > 1 else {}


ANY: dict[str, Maker] = {
    "Dense": lambda d, s: {"units": d.whole(1, 6)} | _bias_and_activation(d),
    "Activation": lambda d, s: {"activation": d.activation()},
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "UnitNormalization": lambda d, s: {"axis": _axis(d, s)},
    "RMSNormalization": lambda d, s: some(d, epsilon=lambda: 0.01),
    "PReLU": _prelu,
    "LeakyReLU": lambda d, s: some(d, negative_slope=lambda: 0.1),
    "ELU": lambda d, s: some(d, alpha=lambda: 0.5),
    "ReLU": lambda d, s: {"negative_slope": 0.1} | some(d, max_value=lambda: 1.5, threshold=lambda: 0.25),
    "Softmax": lambda d, s: {"axis": _axis(d, s)},
    "Rescaling": lambda d, s: {"scale": 0.7, "offset": 0.2},
    "Normalization": lambda d, s: {"axis": None, "mean": 0.3, "variance": 2.0} | some(d, invert=lambda: True),
    "Reshape": _reshape,
    "Flatten": lambda d, s: some(d, data_format=lambda: "channels_first"),
    "Dropout": lambda d, s: {"rate": 0.3},
    "GaussianNoise": lambda d, s: {"stddev": 0.3},
    "EinsumDense": _einsum,
    "Identity": _nothing,
    "ActivityRegularization": lambda d, s: {"l2": 0.01},
    "SpectralNormalization": _spectral,
}
MANY: dict[str, Maker] = {"Permute": _permute, "GroupNormalization": _group_norm}


def _spatial(rank: int) -> dict[str, Maker]:
    names = {
        f"Conv{rank}D": conv(f"Conv{rank}D", rank),
        f"Conv{rank}DTranspose": conv(f"Conv{rank}DTranspose", rank),
    }
    if rank < 3:
        names |= {n: conv(n, rank) for n in (f"DepthwiseConv{rank}D", f"SeparableConv{rank}D")}
    return names | {
        f"MaxPooling{rank}D": pool(rank, averages=False),
        f"AveragePooling{rank}D": pool(rank, averages=True),
        f"GlobalMaxPooling{rank}D": _global,
        f"GlobalAveragePooling{rank}D": _global,
        f"AdaptiveAveragePooling{rank}D": _adaptive(rank),
        f"AdaptiveMaxPooling{rank}D": _adaptive(rank),
        f"ZeroPadding{rank}D": _padding(rank),
        f"Cropping{rank}D": _cropping(rank),
        f"UpSampling{rank}D": _up(rank),
        f"SpatialDropout{rank}D": lambda d, s: {"rate": 0.3},
    }


BY_RANK: dict[int, dict[str, Maker]] = {
    1: {**ANY, "RepeatVector": lambda d, s: {"n": d.whole(1, 4)}},
    2: {
        **ANY,
        **MANY,
        **_spatial(1),
        **{name: _with_state(_recurrent(name)) for name in ("LSTM", "GRU", "SimpleRNN")},
        "RNN": _cell,
        "Bidirectional": _bidirectional,
        "TimeDistributed": _time_distributed,
        "Masking": lambda d, s: some(d, mask_value=lambda: 0.0),
    },
    3: {**ANY, **MANY, **_spatial(2), "TimeDistributed": _time_distributed, "ConvLSTM1D": _conv_lstm(1)},
    4: {**ANY, **MANY, **_spatial(3), "TimeDistributed": _time_distributed, "ConvLSTM2D": _conv_lstm(2)},
}
MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Attention",
          "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention", "states", "ops")  # fmt: skip
MAXIMA = ("Max", "Min")  # in names of layers


def operation(d: Draw, s: Shape) -> Json:
    """A function of keras.ops of one value, as node without name."""
    axis = _axis(d, s)
    choices: list[Json] = [
        *(
            {"ops": n, "args": ["$0"]}
            for n in ("tanh", "sin", "square", "abs", "negative", "softplus", "sigmoid", "arctan")
        ),
        *({"ops": n, "args": ["$0", d.pick((0.5, -1.5, 2))]} for n in ("add", "multiply", "subtract")),
        {"ops": "divide", "args": ["$0", 1.5]},
        {"ops": "subtract", "args": [1.0, "$0"]},
        *(
            {"ops": n, "args": ["$0"], "keywords": {"axis": axis, "keepdims": d.chance(50)}}
            for n in ("mean", "sum", "var", "logsumexp")
        ),
        {"ops": "expand_dims", "args": ["$0"], "keywords": {"axis": axis}},
        {
            "ops": "transpose",
            "args": ["$0"],
            "keywords": {"axes": [0, *d.draw(st.permutations(range(1, len(s) + 1)))]},
        },
        {"ops": "flip", "args": ["$0"], "keywords": {"axis": axis}},
        {"ops": "roll", "args": ["$0", 1], "keywords": {"axis": axis}},
        {"ops": "cumsum", "args": ["$0"], "keywords": {"axis": axis}},
        {"ops": "softmax", "args": ["$0"], "keywords": {"axis": axis}},
        {"ops": "repeat", "args": ["$0", 2], "keywords": {"axis": axis}},
        {"ops": "split", "args": ["$0", d.pick((1, 2))], "keywords": {"axis": axis}},
        {"ops": "pad", "args": ["$0", [[0, 0], *([d.whole(0, 1), d.whole(0, 1)] for _ in s)]]},
        {"ops": "getitem", "slices": [[None], *([d.whole(0, 1), None, d.pick((None, 2))] for _ in s)]},
        {"ops": "getitem", "slices": [[None], *([None] for _ in s[1:]), 0]},
        {"ops": "clip", "args": ["$0", -0.8, 0.9]},
        {"ops": "reshape", "args": ["$0", [-1, math.prod(s)]]},
    ]
    return d.pick(choices)


class Model:
    """A model that grows node by node."""

    def __init__(self, d: Draw, inputs: list[Json], prefix: str = "") -> None:
        self.d, self.inputs, self.prefix = d, inputs, prefix
        self.nodes: list[Json] = []
        self.layers: Values = {}
        self.values: Values = {one["name"]: specs.entry(one) for one in inputs}
        self.used: set[str] = set()

    def shape(self, name: str) -> Shape:
        """Without the batch."""
        return tuple(self.values[name].shape[1:])

    def floats(self) -> list[str]:
        """Values that layers can take, the newest first."""
        return [n for n in reversed(self.values) if str(self.values[n].dtype) == "float32" and self.shape(n)]

    def take(self, node: Json) -> bool:
        """Add a node if Keras takes it and it is not too large."""
        node = {"name": f"{self.prefix}n{len(self.nodes)}", **node}
        if _says_nothing(node, self.shape(node["of"][0])):
            return False
        before = dict(self.values)
        try:
            names = specs.grown(node, self.values, self.layers)
            sizes = [math.prod(d or 5 for d in self.values[n].shape[1:]) for n in names]
            right = all(0 < n <= MOST_VALUES for n in sizes) and all(
                len(self.values[n].shape) < 6 for n in names
            )
            # Keras says that glu keeps the shape; of 2 it makes 1, which is repeated wherever 2 are expected
            right = right and not ("'glu'" in str(node) and self.values[names[0]].shape[-1] == 2)
        except Exception:  # noqa: BLE001  Keras refuses in many ways
            right = False
        if not right:
            self.values = before
            self.layers.pop(node["name"], None)
            return False
        self.nodes.append(node)
        self.used |= set(node["of"])
        return True

    def grow(self, depth: int) -> None:
        """One node more, if one of a few drawn is valid."""
        for _ in range(5):
            try:
                node = self.drawn(depth)
            except (
                ArithmeticError,
                LookupError,
                TypeError,
                ValueError,
            ):  # sizes that are not known, or do not divide
                continue
            if node is not None and self.take(node):
                return

    def drawn(self, depth: int) -> Json | None:
        """A node, not yet asked for."""
        d, floats = self.d, self.floats()
        kind = d.pick(("layer", "layer", "layer", "layer", "merge", "ops", "again", "model"))
        value = floats[min(d.whole(0, 3) if d.chance(40) else 0, len(floats) - 1)]
        s = self.shape(value)
        if kind == "ops":
            return {**operation(d, s), "of": [value]}
        if kind == "merge":
            return self.merge(value)
        if kind == "again":
            names = [
                n["name"] for n in self.nodes if n.get("layer", "Embedding") != "Embedding" or "model" in n
            ]
            if not names:
                return None
            again = d.pick(names)
            arity = next(n for n in self.nodes if n["name"] == again)
            if "SpectralNormalization" in str(
                arity
            ):  # PyTorch's backward reads the kernel that the last call left
                return None
            if self.shape(arity["of"][0])[-1:] != s[-1:] or s[:1] != self.shape(arity["of"][0])[:1]:
                return None
            return {"again": again, "of": [value] if len(arity["of"]) == 1 else [value, *arity["of"][1:]],
                    **{k: arity[k] for k in ("call", "keywords") if k in arity}}  # fmt: skip
        if kind == "model":
            return self.nested(value, depth) if depth else None
        return self.layer(value)

    def layer(self, value: str) -> Json:
        """A layer of one value."""
        s = self.shape(value)
        name = self.d.pick(self.choices(len(s)))
        return {"layer": name, "config": BY_RANK[len(s)][name](self.d, s), "of": [value]}

    def choices(self, rank: int) -> list[str]:
        """Layers for values of a rank: those with maxima where no equal values arise."""
        return [n for n in BY_RANK[rank] if self.d.has_maxima or not any(m in n for m in MAXIMA)]

    def merge(self, value: str) -> Json | None:  # noqa: C901  a branch for each kind
        """Two values or more."""
        d, s = self.d, self.shape(value)
        name = d.pick([n for n in MERGES if d.has_maxima or not any(m in n for m in MAXIMA)])
        others = [n for n in self.floats() if len(self.shape(n)) == len(s)]
        other = d.pick(others)
        if name == "ops":
            return {"ops": d.pick(("add", "multiply", "subtract", "matmul", "concatenate")), "args": ["$0", "$1"], "of": [value, other]} \
                if d.chance(70) else {"ops": "concatenate", "args": [["$0", "$1"]], "keywords": {"axis": -1}, "of": [value, other]}  # fmt: skip
        if name == "states":
            units = [n for n in self.floats() if len(self.shape(n)) == 1]
            if not units or len(s) != 2:
                return None
            state = d.pick(units)
            config = {**_recurrent("GRU")(d, s), "units": self.shape(state)[0]}
            return {"layer": "GRU", "config": config, "of": [value, state], "call": "states"}
        if name in ("MultiHeadAttention", "GroupQueryAttention") and len(s) != 2:
            return None
        if name in ("MultiHeadAttention", "GroupQueryAttention"):
            heads: Json = {"num_heads": d.whole(1, 2), "key_dim": d.whole(1, 4)}
            if name == "GroupQueryAttention":
                heads = {
                    "head_dim": d.whole(1, 4),
                    "num_query_heads": 2,
                    "num_key_value_heads": d.whole(1, 2),
                }
            keywords = {"use_causal_mask": True} if d.chance(20) else {}
            return {"layer": name, "config": heads | some(d, use_bias=lambda: False), "of": [value, other],
                    "call": "spread", "keywords": keywords}  # fmt: skip
        config = {}
        if name == "Concatenate":
            config = {"axis": _axis(d, s)}
        elif name == "Dot":
            config = {"axes": [d.whole(1, len(s)), d.whole(1, len(s))]} | some(d, normalize=lambda: True)
        elif "Attention" in name and (*self.shape(other)[:-2], self.shape(other)[-1]) != (*s[:-2], s[-1]):
            return None
        elif name == "Attention":
            config = some(d, use_scale=lambda: True, score_mode=lambda: "concat")
        of = [value, other]
        if name in ("Add", "Multiply", "Average", "Concatenate") and d.chance(20):
            of.append(d.pick(others))
        return {"layer": name, "config": config, "of": of}

    def nested(self, value: str, depth: int) -> Json | None:
        """A model within, on one value."""
        s = self.shape(value)
        if None in s:
            return None
        name = f"{self.prefix}n{len(self.nodes)}"
        inner = Model(self.d, [{"name": f"{name}x", "shape": list(s), "feed": list(s)}], f"{name}_")
        if self.d.chance(40):
            spec = inner.row(self.d.whole(1, 3))
        else:
            for _ in range(self.d.whole(1, 4)):
                inner.grow(depth - 1)
            spec = inner.spec(most=2)
        if not spec["nodes"]:
            return None
        return {
            "model": {k: v for k, v in spec.items() if k in ("inputs", "nodes", "outputs", "sequential")},
            "of": [value],
        }

    def row(self, length: int) -> Json:
        """Layers in a row."""
        value = self.inputs[0]["name"]
        if "high" in self.inputs[0] and self.embed(value):
            value = self.nodes[-1]["name"]
        for _ in range(length):
            for _ in range(4):
                try:
                    node = self.layer(value)
                except (ArithmeticError, LookupError, TypeError, ValueError):
                    continue
                node["config"].pop("return_state", None)
                if node["config"].get("merge_mode", "") is None:
                    del node["config"]["merge_mode"]
                if self.take(node):
                    value = self.nodes[-1]["name"]
                    break
        return {**self.spec(most=1), "outputs": [value], "sequential": True}

    def embed(self, value: str) -> bool:
        """What makes numbers of words."""
        high = next(one["high"] for one in self.inputs if one["name"] == value)
        config = {"input_dim": high, "output_dim": self.d.whole(1, 4)} | some(self.d, mask_zero=lambda: True)
        return self.take({"layer": "Embedding", "config": config, "of": [value]})

    def spec(self, most: int = 3) -> Json:
        """The model, of the values that nothing uses."""
        last = [n for n in self.floats() if n not in self.used and n not in {i["name"] for i in self.inputs}]
        outputs = last[:most]
        return specs._needed({"inputs": self.inputs, "nodes": self.nodes, "outputs": outputs}, outputs)


def _input(d: Draw, i: int) -> Json:
    rank = d.pick((1, 2, 2, 2, 3, 3, 4))
    shape = [d.whole(1, 6) for _ in range(rank)]
    one: Json = {"name": f"x{i}", "shape": list(shape), "feed": shape}
    if rank < 3 and d.chance(20):
        return one | {"high": d.whole(2, 7)}
    if rank > 1 and d.chance(25):
        one["zeros"] = True
    if rank > 1 and d.chance(12):
        one["shape"][0] = 0  # any length
    return one


@st.composite
def models(draw: Callable[[Any], Any], most: int = 12) -> Json:
    """A spec that Keras builds."""
    d = Draw(draw)
    d.has_maxima = d.chance(40)
    with specs.computed_in("float32"):
        inputs = [_input(d, i) for i in range(d.pick((1, 1, 1, 2, 3)))]
        if d.chance(25):
            spec = Model(d, inputs[:1]).row(d.whole(1, most))
        else:
            grown = Model(d, inputs)
            for one in inputs:
                if "high" in one:
                    grown.embed(one["name"])
                elif one.get("zeros") and d.chance(80):
                    grown.take({"layer": "Masking", "config": {}, "of": [one["name"]]})
            for _ in range(d.whole(1, most)):
                grown.grow(depth=2)
            spec = grown.spec()
    assume(spec["nodes"] and spec["outputs"])
    return {
        **spec,
        "batch": d.whole(2, 5),
        "seed": d.whole(0, 999),
        "format": d.pick(("keras", "h5", "json")),
    }
