"""Which Keras wrote a file, told by its signs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from kchainer.frontends.fields import version

Flavour = Literal["keras", "tf_keras"]
Backend = Literal["theano", "tensorflow", "cntk", "jax", "torch", "numpy", "openvino"]
BACKENDS = ("theano", "tensorflow", "cntk", "jax", "torch", "numpy", "openvino")

# Keys that Keras 0.3 and 1 only wrote, but for the layers that Keras 2 still had from them.
KERAS1_KEYS = frozenset(
    """
    nb_filter border_mode subsample dim_ordering W_regularizer U_regularizer inner_init inner_activation pool_length
    filter_length nb_row nb_col concat_axis subsample_length consume_less dropout_W dropout_U atrous_rate
    """.split()
)
# Classes whose `units` were `output_dim` then; an Embedding has an `output_dim` in all releases.
OUTPUT_DIM = frozenset(["Dense", "TimeDistributedDense", "SimpleRNN", "GRU", "LSTM"])
NEWEST = (3, 15, 1)


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


WRITTEN = re.compile(r"(?:(?:tf[._]?)?keras[\s=-]*)?(\d+(?:\.\d+)*)(?P<more>[.+-]?[a-z][\w.+-]*)?", re.ASCII)


def released(text: str) -> tuple[int, ...]:
    """The numbers of a release as files and people write it, "2.2.4-tf" or "tf.keras 2.15"; () where it is none."""
    found = WRITTEN.fullmatch(text.lower().strip()) if len(text) <= 80 else None
    if found is None or (found["more"] and "." not in found[1]):
        return ()
    numbers = version(found[1])
    return numbers if numbers[0] <= NEWEST[0] else ()


def parse(text: str) -> Dialect:
    """A dialect as a user or a file writes it: "1.2.2", "2.2.4-tf", "tf.keras 2.15"."""
    release = released(text)
    if not release:
        raise ValueError(f"`{text[:80]}` is no release of Keras")
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
    found = sorted({key for d in every for key in _keras1_keys(d)})
    if found:
        yield f"key {', '.join(found[:3])}", "1.2.2", "keras"
    if any(d.get("class_name") in ("Functional", "TFOpLambda", "SlicingOpLambda") for d in every):
        yield "class Functional or an operation layer", "2.6.0", "tf_keras"
    if any(isinstance(d.get("dtype"), dict) or "ragged" in d for d in every):
        yield "key ragged or a dtype policy", "2.6.0", "tf_keras"
    if any(d.get("class_name") == "Sequential" and isinstance(d.get("config"), list) for d in every):
        yield "a Sequential whose config is a list", "2.0.9", "keras"


def _keras1_keys(raw: Mapping[str, Any]) -> Iterator[str]:
    """The keys of Keras 0.3 and 1 in a dictionary, and in the config beside a class."""
    yield from KERAS1_KEYS & raw.keys()
    config, name = raw.get("config"), raw.get("class_name")
    if isinstance(config, dict) and isinstance(name, str) and name in OUTPUT_DIM and "output_dim" in config:
        yield "output_dim"


def told(config: Any, keras_version: str | None, backend: str | None) -> Dialect:
    """The dialect of a document: the stated one, or by the first sign that speaks, with those that agree."""
    known = cast("Backend", backend) if backend in BACKENDS else None
    if keras_version and released(keras_version):
        return dataclasses.replace(parse(keras_version), backend=known)
    signs = list(_signs(config))
    for _, release, flavour in signs:
        reasons = tuple(reason for reason, *said in signs if said == [release, flavour])
        return Dialect(version(release), flavour, known, reasons)
    return Dialect((2, 3, 1), "keras", known, ("no sign of another release",))


FORMATS = {"th": "channels_first", "tf": "channels_last"}


def common_format(config: Any) -> str | None:
    """The data format that all dictionaries state which state one; None where they differ or none does."""
    stated = [d.get("dim_ordering", d.get("data_format")) for d in dictionaries(config)]
    formats = {FORMATS.get(one, one) for one in stated if isinstance(one, str) and one != "default"}
    return formats.pop() if len(formats) == 1 else None


def of_dictionary(class_name: str, config: Mapping[str, Any], document: Dialect) -> Dialect:
    """The dialect of one layer's config: files mix."""
    raw = {"class_name": class_name, "config": config}
    old = KERAS1_KEYS & config.keys() or any(_keras1_keys(raw))
    if document.release >= (2,) and old and "units" not in config:
        return dataclasses.replace(document, release=(1, 2, 2), flavour="keras")
    return document
