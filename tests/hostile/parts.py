"""Small good files, and the ways in which they go bad."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

Json = dict[str, Any]


def dense(name: str = "d", **more: Any) -> Json:
    """A Dense of Keras 2 that takes four features."""
    return {
        "class_name": "Dense",
        "config": {"name": name, "units": 3, "batch_input_shape": [None, 4], **more},
    }


def layer(class_name: str, **config: Any) -> Json:
    """Any layer of Keras 2."""
    return {"class_name": class_name, "config": {"name": class_name.lower(), **config}}


def sequential(*layers: Json, name: str = "s") -> Json:
    """A Sequential of Keras 2."""
    config = {"name": name, "layers": list(layers)}
    return {"class_name": "Sequential", "keras_version": "2.3.1", "backend": "tensorflow", "config": config}


def node(class_name: str, name: str, *inbound: Any, **config: Any) -> Json:
    """A layer of a Functional model; inbound as (name, node, tensor) or a name."""
    calls = [[i, 0, 0, {}] if isinstance(i, str) else [*i, {}] for i in inbound]
    return {
        "class_name": class_name,
        "name": name,
        "config": {"name": name, **config},
        "inbound_nodes": [calls] if calls else [],
    }


def entry(name: str = "i", size: int = 4) -> Json:
    """An InputLayer."""
    return node("InputLayer", name, batch_input_shape=[None, size], dtype="float32")


def functional(*layers: Json, inputs: str = "i", outputs: str = "d", name: str = "m") -> Json:
    """A Functional model of Keras 2."""
    config = {
        "name": name,
        "layers": list(layers),
        "input_layers": [[inputs, 0, 0]],
        "output_layers": [[outputs, 0, 0]],
    }
    return {"class_name": "Model", "keras_version": "2.3.1", "backend": "tensorflow", "config": config}


def stack(count: int) -> Json:
    """Models inside models, ``count`` deep."""
    model = sequential(dense())
    for i in range(count):
        model = sequential(model, name=f"s{i}")
    return model


def doubling(count: int) -> Json:
    """Models inside models, each of which calls its inner one twice: 2 ** count calls."""
    inner = functional(entry(), node("Activation", "d", "i", activation="tanh"))
    for i in range(count):
        own = {"class_name": "Model", "name": f"m{i}", "config": {**inner["config"], "name": f"m{i}"}}
        own["inbound_nodes"] = [[["i", 0, 0, {}]], [[f"m{i}", 0, 0, {}]]]
        inner = functional(entry(), own, outputs=f"m{i}")
        inner["config"]["output_layers"] = [[f"m{i}", 1, 0]]
    return inner


def text(config: Any) -> bytes:
    """JSON as Keras writes it."""
    return json.dumps(config).encode()


KERNEL, BIAS = np.arange(12, dtype="float32").reshape(4, 3), np.zeros(3, "float32")


def hdf5(change: Callable[[h5py.File], object] = lambda file: None, config: Json | None = None) -> bytes:
    """A whole model of Keras 2, changed."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs["model_config"] = json.dumps(config or sequential(dense()))
        file.attrs["keras_version"], file.attrs["backend"] = b"2.3.1", b"tensorflow"
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [b"d"]
        group = root.create_group("d")
        group.attrs["weight_names"] = [b"d/kernel:0", b"d/bias:0"]
        group["d/kernel:0"], group["d/bias:0"] = KERNEL, BIAS
        change(file)
    return memory.getvalue()


def without(path: str) -> Callable[[h5py.File], None]:
    """A change: that object is deleted."""

    def change(file: h5py.File) -> None:
        del file[path]

    return change


def in_place_of_kernel(make: Callable[[h5py.Group, str], object]) -> bytes:
    """The kernel is another thing."""

    def change(file: h5py.File) -> None:
        group = file["model_weights/d/d"]
        del group["kernel:0"]
        make(group, "kernel:0")

    return hdf5(change)


def attribute(path: str, name: str, value: Any) -> bytes:
    """An attribute is another thing."""

    def change(file: h5py.File) -> None:
        file[path].attrs[name] = value

    return hdf5(change)


CONFIG3 = {
    "class_name": "Sequential",
    "module": "keras",
    "registered_name": None,
    "config": {
        "name": "s",
        "trainable": True,
        "dtype": "float32",
        "layers": [
            {
                "class_name": "InputLayer",
                "module": "keras.layers",
                "registered_name": None,
                "config": {"name": "i", "batch_shape": [None, 4], "dtype": "float32"},
            },
            {
                "class_name": "Dense",
                "module": "keras.layers",
                "registered_name": None,
                "config": {"name": "d", "units": 3},
            },
        ],
    },
}


def weights3(change: Callable[[h5py.File], object] = lambda file: None) -> bytes:
    """The weights of ``CONFIG3``."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file["layers/dense/vars/0"], file["layers/dense/vars/1"] = KERNEL, BIAS
        change(file)
    return memory.getvalue()


MEMBERS = {
    "metadata.json": b'{"keras_version": "3.5.0", "date_saved": "2024-01-01@00:00:00"}',
    "config.json": text(CONFIG3),
    "model.weights.h5": weights3(),
}


def archive(
    change: Callable[[zipfile.ZipFile], object] = lambda z: None,
    method: int = zipfile.ZIP_STORED,
    **members: bytes | None,
) -> bytes:
    """A .keras archive; ``config__json=`` puts other bytes in place of a member, None leaves it out."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as file:
        for name, data in MEMBERS.items():
            data = members.get(name.replace(".", "__"), data)
            if data is not None:
                file.writestr(name, data)
        change(file)
    return memory.getvalue()


def member(name: str, data: bytes = b"x", mode: int = 0o100644) -> Callable[[zipfile.ZipFile], None]:
    """A change: one more member."""

    def change(file: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        file.writestr(info, data)

    return change


def encrypted() -> bytes:
    """The archive says that its first member is encrypted."""
    data = bytearray(archive())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] | 1)
    return bytes(data)


def flipped(data: bytes, at: int) -> bytes:
    """One bit is another."""
    out = bytearray(data)
    out[at] ^= 1
    return bytes(out)


class Evil:
    """What a pickle would run."""

    def __reduce__(self) -> Any:
        return (open, ("pwned", "w"))


def pickled_npz(name: str = "kernel") -> bytes:
    """An .npz whose array is a pickle."""
    memory = io.BytesIO()
    np.savez(memory, **{name: np.array([Evil()], dtype=object)})
    return memory.getvalue()
