"""Small objects that configs name: an initializer, a regularizer, a constraint, in the form of each release."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from kchainer.diagnostics import suggestion
from kchainer.frontends.fields import ByDialect, Config, Field, Wrong, read
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.unsupported import OTHERS
from kchainer.ir.definition import Setting

Json = dict[str, Any]
Make = Callable[[Config, Dialect], Setting | None]
NO_KEYS: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """How one class is read."""

    fields: Mapping[str, Field]
    make: Make


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """All classes of one kind by every name that a release gives them."""

    what: str
    classes: dict[str, Known] = dataclasses.field(default_factory=dict)

    def register(self, *names: str, fields: Mapping[str, Field] | None = None) -> Callable[[Make], Make]:
        """Enter a class under its names; the snake case of each is one, too."""

        def enter(make: Make) -> Make:
            known = Known(fields or {}, make)
            for name in names:
                if self.classes.setdefault(name, known) is not known:
                    raise TypeError(f"{self.what} {name} is read twice")
            for name in names:
                self.classes.setdefault(snake(name), known)
            return make

        return enter

    def field(self, was: str | tuple[str, ...] | None = None) -> Field:
        """A key that holds one of this kind, or null."""
        return Field(type=ByDialect(self.read), was=was, default=None)

    def read(self, value: Any, dialect: Dialect) -> Setting | None:
        """The setting that a value stands for, None for null. Raises Wrong."""
        if value is None:
            return None
        name, config = self._apart(value)
        known = self.classes.get(name)
        if known is None:
            raise Wrong(
                f"{self.what} that Keras defines",
                code="KC201",
                hint=OTHERS[self.what.split()[-1]].get(name)
                or suggestion(name, self.classes)
                or f"`{name[:80]}` is none; replace it by one of Keras's",
            )
        made, faults = read(known.fields, config, dialect, base=NO_KEYS)
        if faults:
            one = faults[0]
            expected = f"{name}: {one.message}" + (f", expected {one.expected}" if one.expected else "")
            raise Wrong(expected, code=one.code, hint=one.hint, at=f"config/{one.key}")
        return known.make(made, dialect)

    def _apart(self, value: Any) -> tuple[str, Json]:
        """The class's name and its arguments."""
        if isinstance(value, str):
            return value, {}
        if not isinstance(value, dict):
            raise Wrong(f"{self.what}: a name, or an object with class_name and config")
        name = value.get("class_name", value.get("name"))
        if not isinstance(name, str):
            raise Wrong(f"{self.what}: an object with class_name and config")
        if ">" in str(value.get("registered_name") or name) or name == "__lambda__":
            raise Wrong(f"{self.what} that Keras defines, no code of its own", code="KC202")
        if "class_name" not in value:  # Keras 0.3 and 1
            return name, {k: v for k, v in value.items() if k != "name"}
        config = value.get("config")
        if name == "function" and isinstance(config, str):
            return config, {}
        if config is not None and not isinstance(config, dict):
            raise Wrong("an object as config")
        return name, config or {}


def snake(name: str) -> str:
    """A class name as functions of that name are written."""
    inner = re.sub(r"\W+", "", name)
    inner = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", inner)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", inner).lower()
