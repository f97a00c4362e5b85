"""Several networks of one model as a chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import chainer

from kchainer.emit.plan import attribute


class Networks(chainer.Chain):
    """Networks by their names: as attributes where the name is one of Python's, else by ``nets[name]``.

    One optimizer over all: ``optimizer.setup(nets)``; over one: ``optimizer.setup(nets["energy"])``.
    """

    def __init__(self, networks: Mapping[str, chainer.Link]) -> None:
        super().__init__()
        taken: dict[str, int] = {}
        self.attributes = {name: attribute(name, taken) for name in networks}
        with self.init_scope():
            for name, net in networks.items():
                setattr(self, self.attributes[name], net)

    def __getitem__(self, name: str) -> Any:
        return getattr(self, self.attributes.get(name, name))
