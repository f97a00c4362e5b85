"""The finder that repairs Chainer's modules while they are imported."""

from __future__ import annotations

import ast
import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from typing import Any

from kchainer.compat.patches import AFTER, PKG_RESOURCES_USERS, REWRITES, Patch, injected
from kchainer.compat.requirements import stand_in

# In the order in which they were applied in this process, each once.
APPLIED: list[str] = []
STUB = "chainer._environment_check"
_lock = threading.RLock()


def _applied(ident: str) -> None:
    with _lock:
        if ident not in APPLIED:
            APPLIED.append(ident)


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
        rewrite = _Rewrite(REWRITES[fullname].names)
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
        _inject(module)
        if name in PKG_RESOURCES_USERS:
            module.__dict__["__builtins__"] = _builtins_with_pkg_resources()
        self._inner.exec_module(module)
        if name in PKG_RESOURCES_USERS:
            _applied("pkg-resources")
        if name in REWRITES:
            _applied(REWRITES[name].id)
        if name in AFTER:
            _repair(name, module)

    def __getattr__(self, name: str) -> Any:  # get_source, get_filename: debuggers and tracebacks
        return getattr(self._inner, name)


def _builtins_with_pkg_resources() -> dict[str, Any]:
    real, module = builtins.__import__, stand_in()

    def import_(name: str, *args: Any, **kwargs: Any) -> Any:
        return module if name == "pkg_resources" else real(name, *args, **kwargs)

    return dict(vars(builtins), __import__=import_)


class _StubLoader(importlib.abc.Loader):
    """A module whose ``check`` does nothing."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__dict__["check"] = lambda: None
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        _applied("environment-check")


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


def _inject(module: types.ModuleType) -> None:
    """Give a module the names that its rewritten code uses."""
    names = REWRITES[module.__name__].names.values() if module.__name__ in REWRITES else ()
    for name in set(names) - {"float"}:  # a builtin
        module.__dict__[name] = injected(name)


def _repair(name: str, module: Any) -> None:
    """Replace functions of a module that has run; once."""
    ident, function = AFTER[name]
    with _lock:
        if ident not in APPLIED and function(module):
            _applied(ident)


def _functions(module: types.ModuleType) -> Iterator[types.FunctionType]:
    """The functions and methods that a module defines."""
    for value in list(vars(module).values()):
        if getattr(value, "__module__", None) == module.__name__:
            members = vars(value).values() if isinstance(value, type) else (value,)
            yield from (member for member in members if isinstance(member, types.FunctionType))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)


def _rewrite_loaded(name: str, module: types.ModuleType) -> None:
    """Give the functions of a loaded module their rewritten code; the objects stay, others may hold them."""
    if REWRITES[name].id in APPLIED or module.__file__ is None:
        return
    codes = {
        code.co_qualname: code for code in _codes(_RewritingLoader(name, module.__file__).get_code(name))
    }
    _inject(module)
    for function in _functions(module):
        code = codes.get(function.__qualname__)
        if code is not None and code.co_freevars == function.__code__.co_freevars:
            function.__code__ = code
    _applied(REWRITES[name].id)


def state(patch: Patch) -> str:
    """One of applied, not loaded yet (a patch is applied when its module is imported) and not needed."""
    if patch.id in APPLIED:
        return "applied"
    return "not needed" if any(name in sys.modules for name in patch.modules) else "not loaded yet"


def installed() -> bool:
    """The finder is in place."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def install() -> None:
    """Put the finder in place; idempotent. Imports neither NumPy nor Chainer.

    Where Chainer is already there (an old NumPy, another shim), its loaded modules are repaired instead. What an
    import that failed halfway left behind is removed: nobody can use it, and the next import would trip over it.
    """
    with _lock:
        if installed():
            return
        sys.meta_path.insert(0, _Finder())
        if "chainer" not in sys.modules:
            for name in [name for name in sys.modules if name.startswith("chainer.")]:
                del sys.modules[name]
        loaded = {name: sys.modules[name] for name in (*REWRITES, *AFTER) if name in sys.modules}
        for name, module in loaded.items():
            if name in REWRITES:
                _rewrite_loaded(name, module)
            if name in AFTER:
                _repair(name, module)
