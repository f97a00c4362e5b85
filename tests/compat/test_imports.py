"""Orders of import, and Chainer that was there first; each in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]

# What another shim does so that Chainer imports without kchainer: the check is stubbed, a name is put into NumPy.
OTHER_SHIM = """
    import sys, types, numpy
    sys.modules["chainer._environment_check"] = types.SimpleNamespace(check=lambda: None)
    if not hasattr(numpy, "sctypes"):
        numpy.sctypes = {"int": [numpy.int8, numpy.int16, numpy.int32, numpy.int64], "float": [numpy.float32]}
    import chainer
    vars(numpy).pop("sctypes", None)
"""
# A CuPy as Chainer sees it, without devices. {major} is its version, {cudnn} whether its cuDNN wrapper imports.
FAKE_CUPY = """
    import sys, types
    class Module(types.ModuleType):
        __path__ = []
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {'__init__': lambda self, *args, **options: None})
    names = ["cupy", "cupy.cuda", "cupy.cuda.cublas", "cupy._util", "cupyx", "cupyx.scipy", "cupyx.scipy.linalg",
             "cupyx.scipy.special"] + (["cupy.cudnn", "cupy.cuda.cudnn"] if CUDNN else [])
    for name in names:
        sys.modules[name] = Module(name)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, sys.modules[name])
    sys.modules["cupy"].__version__ = VERSION
    sys.modules["cupy"].get_default_memory_pool = lambda: None
    sys.modules["cupy"].get_default_pinned_memory_pool = lambda: None
    sys.modules["cupy"].memoize = lambda *args, **options: lambda function: function
    sys.modules["cupy"].fuse = lambda *args, **options: lambda function: function
    sys.modules["cupy._util"].PerformanceWarning = Warning
    if CUDNN:
        sys.modules["cupy.cuda.cudnn"].getVersion = lambda: 8900
"""


def run(*blocks: str) -> str:
    """What the blocks print, one after the other in a fresh interpreter."""
    code = "\n".join(textwrap.dedent(block) for block in blocks)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP, check=False)
    assert not done.returncode, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "order",
    [
        "import kchainer, chainer",
        "import numpy, kchainer, chainer, chainer.gradient_check",
        "import kchainer.compat, chainer.functions",
        "from kchainer import compat; from chainer.functions.array import resize_images; import chainer",
        "import kchainer, chainer.testing, numpy",
        "import kchainer, chainermn",
    ],
)
def test_any_order_works_and_numpy_stays_as_it_was(order: str) -> None:
    before = run(
        "import numpy, scipy.special" if "scipy" in order else "import numpy", "print(sorted(vars(numpy)))"
    )
    gone = "('float', 'sctypes', 'int', 'bool', 'product', 'complex_')"
    code = f"{order}\nimport numpy\nprint([n for n in {gone} if n in vars(numpy) and n not in BEFORE])"
    assert run(f"BEFORE = {before}", code) == "[]"


def test_chainer_works_after_an_import_that_failed() -> None:
    found = run(
        """
        try:
            import chainer
        except (ImportError, AttributeError):  # the second: np.sctypes, halfway through Chainer
            pass
        import kchainer
        import chainer, numpy
        print(chainer.functions.as_strided(numpy.ones(4, "f"), (2, 2), (2, 1), 0).shape)
        """
    )
    assert found == "(2, 2)"


def test_chainer_that_was_imported_before_is_repaired_in_place() -> None:
    found = run(
        OTHER_SHIM,
        """
        from chainer.functions.array import as_strided, resize_images
        before = resize_images.ResizeImages, resize_images.ResizeImages.forward, chainer.functions.resize_images
        import kchainer, kchainer.compat
        after = resize_images.ResizeImages, resize_images.ResizeImages.forward, chainer.functions.resize_images
        assert all(a is b for a, b in zip(before, after))
        x = chainer.Variable(numpy.arange(4, dtype="f").reshape(1, 1, 2, 2))
        y = chainer.functions.resize_images(x, (2, 4), align_corners=False)
        chainer.functions.sum(y).backward()
        print(y.array[0, 0, 0].tolist(), x.grad.ravel().tolist())
        z = chainer.functions.as_strided(x, (4,), (1,), 0)
        chainer.functions.sum(z * z).backward()
        link = chainer.links.Deconvolution2D(2, 3, 3)
        chainer.functions.sum(link(numpy.ones((1, 2, 4, 4), "f"))).backward()
        print(sorted(kchainer.compat.APPLIED) == sorted(set(kchainer.compat.APPLIED)), kchainer.compat.APPLIED[:2])
        print({p.id: kchainer.compat.state(p) for p in kchainer.compat.PATCHES}["environment-check"])
        """,
    )
    assert found.splitlines() == [
        "[0.0, 0.25, 0.75, 1.0] [2.0, 2.0, 2.0, 2.0]",
        "True ['sctypes', 'float-alias']",
        "not needed",
    ]


@pytest.mark.parametrize("first", ["import kchainer, chainer", OTHER_SHIM])
def test_rewritten_code_does_not_reach_pycache(first: str) -> None:
    """An interpreter without kchainer still runs Chainer's own code."""
    run(first, "import kchainer; from chainer.functions.array import as_strided")
    code = "from chainer.functions.array.as_strided import AsStridedGrad as a; print(a.forward.__code__.co_names)"
    assert "sctypes" in run(OTHER_SHIM, code)


@pytest.mark.parametrize(
    ("version", "cudnn", "warns", "applied"),
    [("14.2.0", False, False, True), ("13.6.0", False, True, False), ("13.6.0", True, False, False)],
)
def test_cupy_14_gives_no_advice_to_reinstall_it(
    version: str, cudnn: bool, warns: bool, applied: bool
) -> None:
    found = run(
        f"VERSION, CUDNN = {version!r}, {cudnn}",
        FAKE_CUPY,
        """
        import warnings
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            import kchainer.compat  # Chainer makes kernels, and so looks for a GPU, while it is imported
            from chainer.backends import cuda
            cuda.check_cuda_available()
        assert cuda.available and cuda.cudnn_enabled == CUDNN, cuda._resolution_error
        print(any("cuDNN" in str(warning.message) for warning in seen), "cudnn-advice" in kchainer.compat.APPLIED)
        """,
    )
    assert found == f"{warns} {applied}"


def test_cupy_14_is_also_told_to_a_chainer_that_was_there_before() -> None:
    code = "import kchainer.compat; from chainer.backends import cuda; print(cuda._cudnn_disabled_by_user)"
    assert run("VERSION, CUDNN = '14.2.0', False", FAKE_CUPY, OTHER_SHIM, code) == "True"


def test_pkg_resources_is_listed_once_and_seen_by_two_modules_only() -> None:
    found = run(
        """
        import sys
        sys.modules["pkg_resources"] = None  # setuptools 82 has none
        import kchainer.compat, chainer.testing, chainer.testing.doctest_helper
        print(kchainer.compat.APPLIED.count("pkg-resources"), chainer.testing.helper.pkg_resources.__name__)
        try:
            import pkg_resources
        except ImportError:
            print("gone")
        """
    )
    assert found.splitlines() == ["1 pkg_resources", "gone"]
