"""``kchainer doctor --gpu`` says why there is no GPU."""

from __future__ import annotations

import pytest
from test_imports import FAKE_CUPY, run

DOCTOR = "import kchainer.cli; code = kchainer.cli.main(['doctor', '--gpu']); print('exit', code)"
FAKE_RUNTIME = """
    import importlib.machinery
    sys.modules["cupy"].__spec__ = importlib.machinery.ModuleSpec("cupy", None)
    class Runtime:
        class CUDARuntimeError(RuntimeError):
            pass
        def getDeviceCount():
            if COUNT is None:
                raise Runtime.CUDARuntimeError("cudaErrorInsufficientDriver: driver version is insufficient")
            return COUNT
        def getDeviceProperties(device):
            return {"name": b"Some GPU"}
    sys.modules["cupy.cuda"].runtime = Runtime
"""


def test_no_cupy() -> None:
    found = run("import importlib.util; find = importlib.util.find_spec", HIDE, DOCTOR)
    assert "not available: CuPy is not installed" in found
    assert "cupy-cuda12x[ctk]" in found
    assert found.endswith("exit 1")


HIDE = "importlib.util.find_spec = lambda name, *rest: None if name == 'cupy' else find(name, *rest)"


def test_cupy_that_does_not_import_gives_its_first_line() -> None:
    broken = """
        import sys, importlib.abc, importlib.machinery
        class Broken(importlib.abc.Loader):
            def create_module(self, spec): return None
            def exec_module(self, module): raise ImportError("libcublas.so.12: cannot open shared object\\n\\nmore")
        class Finder(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path, target=None):
                return importlib.machinery.ModuleSpec(name, Broken()) if name == "cupy" else None
        sys.meta_path.insert(0, Finder())
    """
    found = run(broken, DOCTOR)
    assert "CuPy does not import: ImportError: libcublas.so.12: cannot open shared object\n" in found
    assert found.endswith("exit 1")


@pytest.mark.parametrize(
    ("count", "line", "code"),
    [
        (
            None,
            "not available: CUDARuntimeError: cudaErrorInsufficientDriver: driver version is insufficient",
            1,
        ),
        (0, "not available: the driver reports no device", 1),
        (1, "available: 1 device, Some GPU", 0),
    ],
)
def test_what_the_driver_says(count: int | None, line: str, code: int) -> None:
    found = run(f"VERSION, CUDNN, COUNT = '14.2.0', False, {count}", FAKE_CUPY, FAKE_RUNTIME, DOCTOR)
    assert f"gpu          {line}\n" in found
    assert ("cudnn        not used: CuPy 14 has none" in found) == (code == 0)
    assert found.endswith(f"exit {code}")


def test_without_the_option_no_gpu_is_looked_for() -> None:
    found = run("import kchainer.cli; print('exit', kchainer.cli.main(['doctor']))")
    assert "gpu" not in found
    assert "pkg-resources      not loaded yet" in found
    assert found.endswith("exit 0")
