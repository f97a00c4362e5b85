"""Each repair of Chainer has the test that fails without it."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_imports

import kchainer.compat  # before chainer

import chainer  # isort: skip
import chainer.functions as F
import chainer.links as L


def test_chainer_imports_without_a_deprecation_warning() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", "import kchainer, chainer.gradient_check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr


def test_the_environment_check_does_nothing() -> None:
    assert sys.modules["chainer._environment_check"].check() is None
    assert not hasattr(sys.modules["chainer._environment_check"], "_check_osx_numpy_backend")


def test_every_patch_is_applied_once_where_it_is_needed() -> None:
    import chainer.testing

    assert chainer.testing
    states = {patch.id: kchainer.compat.state(patch) for patch in kchainer.compat.PATCHES}
    # without CuPy 14 there is nothing to be done; test_imports.py has it
    assert states.pop("cudnn-advice") == "not needed"
    assert set(states.values()) == {"applied"}
    assert sorted(kchainer.compat.APPLIED) == sorted(set(kchainer.compat.APPLIED))


def test_install_twice_puts_one_finder() -> None:
    before = list(sys.meta_path)
    kchainer.compat.install()
    assert sys.meta_path == before


def test_as_strided_forward_and_backward() -> None:
    x = chainer.Variable(np.arange(6, dtype="f"))
    y = F.as_strided(x, (2, 3), (3, 1), 0)
    F.sum(y * y).backward()
    np.testing.assert_allclose(x.grad, 2 * x.array)


@pytest.mark.parametrize(
    ("options", "row"),
    [
        ({"align_corners": False}, [0, 0.25, 0.75, 1]),
        ({"align_corners": True}, [0, 1 / 3, 2 / 3, 1]),
        ({"align_corners": False, "mode": "nearest"}, [0, 0, 1, 1]),
    ],
)
def test_resize_images(options: dict[str, Any], row: list[float]) -> None:
    x = chainer.Variable(np.array([[[[0, 1], [0, 1]]]], "f"))
    y = F.resize_images(x, (2, 4), **options)
    np.testing.assert_allclose(y.array[0, 0], [row, row], rtol=1e-6)


def test_deconvolution_of_a_plain_array_has_a_backward() -> None:
    link = L.Deconvolution2D(2, 3, 3)
    F.sum(link(np.ones((1, 2, 4, 4), "f"))).backward()
    assert link.W.grad.shape == link.W.shape


def test_pad_sequence_of_unsigned_integers() -> None:
    y = F.pad_sequence([np.array([1, 2], "u1"), np.array([3], "u1")], padding=-1)
    assert y.array.tolist() == [[1, 2], [3, 255]]


def test_categorical_log_prob() -> None:
    p = np.array([[0.25, 0.75]], "f")
    log_prob = chainer.distributions.Categorical(p=p).log_prob(np.array([1], "i"))
    np.testing.assert_allclose(log_prob.array, np.log([0.75]), rtol=1e-6)


def test_debug_print() -> None:
    assert "device: CPU" in chainer.Variable(np.ones(1, "f")).debug_print()


def test_each_patch_has_its_test() -> None:
    tests = {
        "environment-check": test_the_environment_check_does_nothing,
        "sctypes": test_as_strided_forward_and_backward,
        "float-alias": test_resize_images,
        "deconv-no-x-grad": test_deconvolution_of_a_plain_array_has_a_backward,
        "pad-out-of-bounds": test_pad_sequence_of_unsigned_integers,
        "meshgrid-tuple": test_categorical_log_prob,
        "debug-print-device": test_debug_print,
        "pkg-resources": test_imports.test_pkg_resources_is_listed_once_and_seen_by_two_modules_only,
        "cudnn-advice": test_imports.test_cupy_14_gives_no_advice_to_reinstall_it,
    }
    assert list(tests) == [patch.id for patch in kchainer.compat.PATCHES]


def test_each_patch_says_what_why_and_how() -> None:
    for patch in kchainer.compat.PATCHES:
        assert all((patch.modules, patch.symptom, patch.cause, patch.fix))
    ids = [patch.id for patch in kchainer.compat.PATCHES]
    assert len(set(ids)) == len(ids)


def test_docs_have_the_patches_of_today() -> None:
    names = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "make_compat.py"))
    text = names["PAGE"].read_text(encoding="utf-8")
    assert names["page"](text) == text, "run python docs/make_compat.py"
