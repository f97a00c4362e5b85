"""Which Keras wrote a file, told by its signs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from kchainer.frontends.fields import version

Flavour = Literal["keras", "tf_keras"]
Backend = Literal["theano", "tensorflow", "cntk", "jax", "torch", "numpy", "openvino"]
BACKENDS = ("theano", "tensorflow", "cntk", "jax", "torch", "numpy", "openvino")

# Keys that Keras 0.3 and 1 only wrote.
KERAS1_KEYS = frozenset(
    [
        "nb_filter",
        "output_dim",
        "border_mode",
        "subsample",
        "dim_ordering",
        "W_regularizer",
        "inner_init",
        "pool_length",
        "filter_length",
        "nb_row",
        "concat_axis",
        "subsample_length",
        "gamma_init",
    ]
)


@dataclasses.dataclass(frozen=True, slots=True)
class Dialect:
    """A Keras release and its backend; ``flavour`` tells ``tf.keras`` from Keras proper.

    ``backend`` is None where the file does not say; ``reasons`` are the signs that decided.
    """

    release: tuple[int, ...]
    flavour: Flavour = "keras"
    backend: Backend | None = None
    reasons: tuple[str, ...] = ()
    data_format: str | None = None  # what all layers of the file that state one agree on

    def __str__(self) -> str:
        name = "tf.keras" if self.flavour == "tf_keras" else "Keras"
        return f"{name} {'.'.join(map(str, self.release))}" + (f" ({self.backend})" if self.backend else "")


def parse(text: str) -> Dialect:
    """A dialect as a user or a file writes it: "1.2.2", "2.2.4-tf", "tf.keras 2.15"."""
    bare = text.lower().removeprefix("tf.keras").removeprefix("tf_keras").removeprefix("keras").strip(" -=")
    release = version(bare)
    if not release:
        raise ValueError(f"{text!r} is no Keras version")
    is_tf = "tf" in text.lower() or (2, 4) <= release < (3,)
    return Dialect(release, "tf_keras" if is_tf else "keras", None, (f"keras_version {text}",))


def dictionaries(config: Any) -> Iterator[Mapping[str, Any]]:
    """All dictionaries of a JSON value, without recursion."""
    todo = [config]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            yield one
            todo.extend(one.values())
        elif isinstance(one, list):
            todo.extend(one)


def _signs(config: Any) -> Iterator[tuple[str, str, Flavour]]:
    """Signs in order of their strength, each with the release and flavour that it speaks for."""
    every = list(dictionaries(config))
    nodes = [n for d in every if isinstance(d.get("inbound_nodes"), list) for n in d["inbound_nodes"]]
    v3 = any("module" in d and "registered_name" in d for d in every)
    if any(isinstance(n, dict) for n in nodes):
        yield "inbound_nodes hold dictionaries", "3.15.1", "keras"
    if any("batch_shape" in d for d in every):
        yield "batch_shape", "3.15.1", "keras"
    if v3 and any("batch_input_shape" in d for d in every):
        yield "module and registered_name with batch_input_shape", "2.15.0", "tf_keras"
    if v3:
        yield "module and registered_name", "3.15.1", "keras"
    if (
        isinstance(config, dict)
        and "class_name" not in config
        and config.get("name") in ("Sequential", "Graph")
    ):
        yield "the class is under `name`", "0.3.3", "keras"
    found = sorted(KERAS1_KEYS & {k for d in every for k in d})
    if found:
        yield f"key {found[0]}", "1.2.2", "keras"
    if any(d.get("class_name") in ("Functional", "TFOpLambda", "SlicingOpLambda") for d in every):
        yield "class Functional or an operation layer", "2.6.0", "tf_keras"
    if any(isinstance(d.get("dtype"), dict) or "ragged" in d for d in every):
        yield "key ragged or a dtype policy", "2.6.0", "tf_keras"
    if any(d.get("class_name") == "Sequential" and isinstance(d.get("config"), list) for d in every):
        yield "a Sequential whose config is a list", "2.0.9", "keras"


def told(config: Any, keras_version: str | None, backend: str | None) -> Dialect:
    """The dialect of a document, by the first sign that speaks."""
    known = cast("Backend", backend) if backend in BACKENDS else None
    if keras_version and version(keras_version.lower().removeprefix("tf.keras").strip(" -=")):
        return dataclasses.replace(parse(keras_version), backend=known)
    for reason, release, flavour in _signs(config):
        return Dialect(version(release), flavour, known, (reason,))
    return Dialect((2, 3, 1), "keras", known, ("no sign of another release",))


FORMATS = {"th": "channels_first", "tf": "channels_last"}


def common_format(config: Any) -> str | None:
    """The data format that all dictionaries state which state one; None where they differ or none does."""
    stated = [d.get("dim_ordering", d.get("data_format")) for d in dictionaries(config)]
    formats = {FORMATS.get(one, one) for one in stated if isinstance(one, str) and one != "default"}
    return formats.pop() if len(formats) == 1 else None


def of_dictionary(raw: Mapping[str, Any], document: Dialect) -> Dialect:
    """The dialect of one layer's config: files mix."""
    if document.release >= (2,) and KERAS1_KEYS & raw.keys() and "units" not in raw:
        return dataclasses.replace(document, release=(1, 2, 2), flavour="keras")
    return document
