"""What a mask does in releases that are not at hand: as their sources say, read off the graph."""

from __future__ import annotations

from typing import Any

import pytest

import kchainer
from kchainer import api
from kchainer.ir import ops


def layer(class_name: str, *inbound: str, **config: Any) -> dict[str, Any]:
    name = config.setdefault("name", class_name.lower())
    nodes = [[[one, 0, 0, {}] for one in inbound]] if inbound else []
    return {"class_name": class_name, "name": name, "config": config, "inbound_nodes": nodes}


def network(version: str, *between: dict[str, Any], last: str, **lstm: Any) -> Any:
    """Inputs a and b, masked ones ma and mb, what stands between, and an LSTM on ``last``."""
    lstm = {"name": "lstm", "units": 2, **lstm}
    layers = [
        layer("InputLayer", name="a", batch_input_shape=[None, 4, 3], dtype="float32"),
        layer("InputLayer", name="b", batch_input_shape=[None, 4, 3], dtype="float32"),
        layer("Masking", "a", name="ma"),
        layer("Masking", "b", name="mb", mask_value=1.0),
        *between,
        layer("LSTM", last, **lstm),
    ]
    config = {
        "name": "m",
        "layers": layers,
        "input_layers": [["a", 0, 0], ["b", 0, 0]],
        "output_layers": [["lstm", 0, 0]],
    }
    return api.from_keras({"class_name": "Model", "keras_version": version, "config": config}).network


def masks(net: Any) -> list[str]:
    """The ops of the masks that are left, in order."""
    found = [net.layers[n.layer].op for n in net.nodes]
    return [
        f"{op.name} {op.function}" if isinstance(op, (ops.Binary, ops.Reduce)) else op.name
        for op in found
        if isinstance(op, (ops.Binary, ops.Reduce)) or (op.name.startswith("Mask") and op.name != "Masking")
    ]


EACH = ["Binary not_equal", "Reduce any"]


@pytest.mark.parametrize(
    ("version", "class_name"),
    [
        ("2.2.4", "Flatten"),
        ("2.3.1", "Conv1D"),
        ("1.2.2", "Dense"),
        ("2.0.8", "MaxPooling1D"),
        ("2.2.4", "CuDNNLSTM"),
    ],
)
def test_layers_that_refused_a_mask(version: str, class_name: str) -> None:
    more = {"Conv1D": {"filters": 2, "kernel_size": 1}, "Dense": {"units": 2}, "CuDNNLSTM": {"units": 2}}.get(
        class_name, {}
    )
    between = [layer(class_name, "ma", name="x", **more)]
    with pytest.raises(kchainer.KchainerError, match="refuses a masked input"):
        network(version, *between, last="x")


@pytest.mark.parametrize("version", ["2.9.0", "2.15.0", "2.2.4-tf", "3.6.0"])
def test_later_releases_drop_it(version: str) -> None:
    net = network(version, layer("Conv1D", "ma", name="x", filters=2, kernel_size=1), last="x")
    assert masks(net) == []
    assert not net.layers["lstm"].op.masked


@pytest.mark.parametrize(
    ("version", "function"), [("2.3.1", "and"), ("2.15.0", "and"), ("3.3.3", "and"), ("3.6.0", "or")]
)
def test_masks_of_a_sum(version: str, function: str) -> None:
    net = network(version, layer("Add", "ma", "mb", name="x"), last="x")
    assert masks(net) == [*EACH, *EACH, f"Binary logical_{function}"]
    one = network(version, layer("Add", "ma", "b", name="x"), last="x")
    assert masks(one) == ([] if function == "or" else EACH)


@pytest.mark.parametrize(("version", "function"), [("2.3.1", "and"), ("2.15.0", "and"), ("3.6.0", "or")])
def test_masks_of_a_concatenation(version: str, function: str) -> None:
    behind = network(version, layer("Concatenate", "ma", "b", name="x", axis=1), last="x")
    assert masks(behind) == [*EACH, "MaskOnes", "MaskConcatenate"]
    beside = network(version, layer("Concatenate", "ma", "mb", name="x", axis=-1), last="x")
    assert masks(beside) == [*EACH, *EACH, f"Binary logical_{function}"]
    one = network(version, layer("Concatenate", "ma", "b", name="x", axis=-1), last="x")
    assert masks(one) == (["MaskOnes"] if function == "or" else EACH)


@pytest.mark.parametrize(
    ("version", "masked_output"), [("2.3.1", "previous"), ("2.15.0", "zero"), ("3.6.0", "zero")]
)
def test_masked_steps_of_bidirectional(version: str, masked_output: str) -> None:
    inner = {"class_name": "GRU", "config": {"name": "gru", "units": 2, "return_sequences": True}}
    net = network(version, layer("Bidirectional", "ma", name="x", layer=inner), last="x")
    for direction in ("forward", "backward"):
        op = net.layers[f"x/{direction}_gru"].op
        assert (op.masked, op.masked_output) == (True, masked_output)
    assert net.layers["lstm"].op.masked


@pytest.mark.parametrize(("version", "takes"), [("2.1.2", False), ("2.2.4", True), ("2.15.0", True)])
def test_means_of_what_counts(version: str, takes: bool) -> None:
    if not takes:
        with pytest.raises(kchainer.KchainerError, match="refuses a masked input"):
            network(
                version,
                layer("GlobalAveragePooling1D", "ma", name="x"),
                layer("RepeatVector", "x", name="y", n=2),
                last="y",
            )
        return
    net = network(
        version,
        layer("GlobalAveragePooling1D", "ma", name="x"),
        layer("RepeatVector", "x", name="y", n=2),
        last="y",
    )
    assert "MaskedAverage" in masks(net)
