"""What Keras itself makes of a test vector: for ``convert --verify``, in a process of its own.

kchainer never imports Keras; this program does, where it is run as one:
``python -m kchainer.cli.reference MODEL WEIGHTS CHECK OUT``, WEIGHTS being empty where the model has them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def load(path: str, weights: str) -> tuple[Any, Any]:
    """Keras, and the model as it reads it."""
    import keras  # type: ignore[import-untyped, import-not-found, unused-ignore]

    if path.endswith(".json"):
        model = keras.models.model_from_json(Path(path).read_text(encoding="utf-8"))
    else:
        model = keras.models.load_model(path, compile=False)
    if weights:
        model.load_weights(weights)
    return keras, model


def digests(keras: Any, model: Any, inputs: list[Any]) -> dict[str, Any]:
    """The digest of the output of each layer that is called once, for the first sample."""
    from kchainer.bundle import digest

    outputs = {}
    for layer in model.layers:
        try:
            value = layer.output
        except (AttributeError, ValueError):  # called several times, or never
            continue
        if not isinstance(value, (list, tuple, dict)):
            outputs[layer.name] = value
    made = keras.Model(model.inputs, list(outputs.values())).predict([x[:1] for x in inputs], verbose=0)
    values = made if isinstance(made, list) else [made]
    return {name: digest(value) for name, value in zip(outputs, values, strict=True)}


def main(path: str, weights: str, check: str, out: str) -> int:
    """Write the reference; 1 where Keras is not installed or cannot read the file, with its reason on stderr."""
    import numpy as np

    try:
        keras, model = load(path, weights)
    except Exception as error:  # noqa: BLE001  whatever Keras raises is its reason
        print(f"{type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
        return 1
    with np.load(check, allow_pickle=False) as vector:
        inputs = [vector[f"x{i}"] for i in range(len(model.inputs))]
    made = model.predict(inputs, batch_size=1, verbose=0)
    outputs = made if isinstance(made, list) else [made]
    arrays = {f"x{i}": x for i, x in enumerate(inputs)} | {f"y{i}": y for i, y in enumerate(outputs)}
    known = digests(keras, model, inputs)
    arrays |= {"layers": np.array(list(known), dtype=str), "digests": np.array(list(known.values()))}
    np.savez(out, **arrays)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
