"""The finder that repairs Chainer's modules while they are imported."""

from __future__ import annotations

import ast
import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from typing import Any

from kchainer.compat.patches import AFTER, PKG_RESOURCES_USERS, REWRITES, injected, stand_in_for_pkg_resources

APPLIED: list[str] = []
STUB = "chainer._environment_check"
REWRITE_IDS = {
    "chainer.functions.array.as_strided": "sctypes",
    "chainer.functions.array.resize_images": "float-alias",
}


class _Rewrite(ast.NodeTransformer):
    """Names in place of attributes of numpy. A proxy of numpy would not do: Chainer compares ``xp is numpy``."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names, self.hits = names, 0

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy") and node.attr in self.names:
            self.hits += 1
            return ast.copy_location(ast.Name(id=self.names[node.attr], ctx=node.ctx), node)
        return node


class _RewritingLoader(importlib.machinery.SourceFileLoader):
    """Compiles from the rewritten tree, never from or to ``__pycache__``: other processes read that."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        rewrite = _Rewrite(REWRITES[fullname])
        tree = ast.fix_missing_locations(rewrite.visit(ast.parse(self.get_data(path), path)))
        if not rewrite.hits:
            raise ImportError(f"{fullname}: nothing to rewrite; another Chainer than 7.8.1?", name=fullname)
        return compile(tree, path, "exec", dont_inherit=True)


class _Loader(importlib.abc.Loader):
    """Runs the real loader, then this module's repairs."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        made: types.ModuleType | None = self._inner.create_module(spec)
        return made

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        for put_in in set(REWRITES.get(name, {}).values()) - {"float"}:
            module.__dict__[put_in] = injected(put_in)
        if name in PKG_RESOURCES_USERS:
            module.__dict__["__builtins__"] = _builtins_with_pkg_resources()
            APPLIED.append("pkg-resources")
        self._inner.exec_module(module)
        if name in REWRITE_IDS:
            APPLIED.append(REWRITE_IDS[name])
        if name in AFTER:
            repair(name, module)

    def __getattr__(self, name: str) -> Any:  # get_source, get_filename: debuggers and tracebacks
        return getattr(self._inner, name)


def _builtins_with_pkg_resources() -> dict[str, Any]:
    real, stand_in = builtins.__import__, stand_in_for_pkg_resources()

    def import_(name: str, *args: Any, **kwargs: Any) -> Any:
        return stand_in if name == "pkg_resources" else real(name, *args, **kwargs)

    return dict(vars(builtins), __import__=import_)


class _StubLoader(importlib.abc.Loader):
    """A module whose ``check`` does nothing."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__dict__["check"] = lambda: None
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        APPLIED.append("environment-check")


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == STUB:
            return importlib.util.spec_from_loader(fullname, _StubLoader())
        if fullname not in REWRITES and fullname not in AFTER and fullname not in PKG_RESOURCES_USERS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None or spec.origin is None:
            return spec
        inner = _RewritingLoader(fullname, spec.origin) if fullname in REWRITES else spec.loader
        spec.loader = _Loader(inner)
        return spec


def repair(name: str, module: Any) -> None:
    """Replace functions of a module that has run; once."""
    ident, function = AFTER[name]
    if ident not in APPLIED:
        function(module)
        APPLIED.append(ident)


def installed() -> bool:
    """The finder is in place."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def install() -> None:
    """Put the finder in place; idempotent. Imports neither NumPy nor Chainer.

    Where Chainer is already there (an old NumPy, another shim), its loaded modules are repaired instead.
    """
    if installed():
        return
    sys.meta_path.insert(0, _Finder())
    for name in AFTER:
        if name in sys.modules:
            repair(name, sys.modules[name])
