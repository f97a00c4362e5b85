"""Each repair of Chainer has the test that fails without it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

import kchainer.compat  # before chainer
import chainer  # isort: skip
import chainer.functions as F
import chainer.links as L


def test_both_import_orders_leave_numpy_alone() -> None:
    code = (
        "import numpy; before = set(dir(numpy)); import kchainer, chainer, chainer.gradient_check;"
        "print(sorted(n for n in set(dir(numpy)) - before if n in ('float', 'sctypes', 'int', 'bool')), chainer.__version__)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[] 7.8.1"


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


def test_resize_images() -> None:
    x = np.arange(4, dtype="f").reshape(1, 1, 2, 2)
    assert F.resize_images(x, (4, 4), align_corners=False).shape == (1, 1, 4, 4)
    assert F.resize_images(x, (4, 4), mode="nearest", align_corners=False).shape == (1, 1, 4, 4)


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
