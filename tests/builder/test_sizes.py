"""Stacks of transposed convolutions reach the size that was asked for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import kchainer
from kchainer import plan_deconvolutions


@pytest.mark.parametrize(("ksize", "stride"), [(4, 2), (3, 2), (5, 2), (5, 3), (2, 2), (3, 1), (6, 3)])
def test_every_size_from_8_to_256_is_reached(ksize: int, stride: int) -> None:
    for wanted in range(8, 257):
        for layers in (1, 2, 3):
            stages = plan_deconvolutions(wanted, layers, ksize, stride)
            assert len(stages) == layers
            assert stages[-1].output_size == wanted
            for one, following in itertools.pairwise(stages):
                assert one.output_size == following.input_size
            for one in stages:
                rule = stride * (one.input_size - 1) + ksize - 2 * one.pad
                assert one.output_size == (one.outsize or rule)
                assert 0 <= one.output_size - rule < stride
                assert one.input_size >= 1
                assert 0 <= one.pad < ksize


@pytest.mark.parametrize("wanted", [28, 45, 64, 96])
def test_a_generator_built_by_the_plan_makes_pictures_of_that_size(wanted: int) -> None:
    stages = plan_deconvolutions(wanted, 3)
    start = stages[0].input_size
    net = kchainer.Sequential([kchainer.Linear(5, 2 * start**2), kchainer.reshape((-1, 2, start, start))])
    for one in stages:
        net.add(kchainer.Deconvolution2D(2, 2, 4, stride=2, pad=one.pad, outsize=one.outsize))
    assert net.build()(np.zeros((3, 5), "f")).shape == (3, 2, wanted, wanted)


def test_sizes_double_where_they_can() -> None:
    assert [s.input_size for s in plan_deconvolutions(96, 3)] == [12, 24, 48]
    assert all(s.outsize is None for s in plan_deconvolutions(96, 3))


@pytest.mark.parametrize("args", [(0, 3), (64, 0), (64, 3, 2, 4)])
def test_what_cannot_be_planned_is_an_error(args: tuple[int, ...]) -> None:
    with pytest.raises(kchainer.KchainerError):
        plan_deconvolutions(*args)
