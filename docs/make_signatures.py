"""Write kchainer/frontends/builder/signatures.py from the Keras that is installed (3.15)."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
OUT = Path(__file__).parent.parent / "kchainer" / "frontends" / "builder" / "signatures.py"


def signatures() -> dict[str, tuple[str, ...]]:
    """Class name -> names of the arguments that may be given by position, for all of keras.layers."""
    import keras

    out = {}
    for name, cls in sorted(vars(keras.layers).items()):
        if inspect.isclass(cls):
            given = list(inspect.signature(cls.__init__).parameters.values())[1:]
            out[name] = tuple(p.name for p in given if p.kind is p.POSITIONAL_OR_KEYWORD)
    return out


def text() -> str:
    """The module."""
    head = (
        '"""Positional arguments of Keras 3.15\'s layers, in order. Made by docs/make_signatures.py."""\n\n'
    )
    rows = [f'    "{name}": "{" ".join(args)}",\n' for name, args in signatures().items() if args]
    return f"{head}SIGNATURES: dict[str, str] = {{\n{''.join(rows)}}}\n"


if __name__ == "__main__":
    OUT.write_text(text())
