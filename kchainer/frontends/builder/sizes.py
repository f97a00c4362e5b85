"""Sizes of stacks of transposed convolutions."""

from __future__ import annotations

import dataclasses

from kchainer.frontends.builder.elements import wrong


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """One transposed convolution, in pixels: ``output_size`` = stride * (input_size - 1) + ksize - 2 * pad.

    ``outsize`` is ``output_size`` where that rule gives less, since no pad fits on both sides, else None; give it
    to ``Deconvolution2D`` as it is.
    """

    input_size: int
    output_size: int
    pad: int
    outsize: int | None


def plan_deconvolutions(output_size: int, layers: int, ksize: int = 4, stride: int = 2) -> tuple[Stage, ...]:
    """Stages that lead to pictures of ``output_size``, the first one first.

    Each pad is the one next to (ksize - stride) / 2 by which the sizes come out exactly, so that sizes grow by
    ``stride`` where they can; where none does, ``outsize`` says the size.

    Raises:
        KchainerError: a number below 1, a stride above ksize, or a picture too small for so many layers.
    """
    name = f"plan_deconvolutions({output_size}, {layers}, {ksize}, {stride})"
    if min(output_size, layers, ksize, stride) < 1 or stride > ksize:
        raise wrong(name, "numbers of 1 or more, and no stride above ksize, are expected")
    stages: list[Stage] = []
    size = output_size
    for _ in range(layers):
        stage = _stage(size, ksize, stride)
        if stage is None:
            raise wrong(name, f"no input of 1 or more pixels leads to {size}", hint="take fewer layers")
        stages.append(stage)
        size = stage.input_size
    return tuple(reversed(stages))


def _stage(size: int, k: int, s: int) -> Stage | None:
    pads = sorted(range(k), key=lambda p: (abs(2 * p - (k - s)), p))
    for exact in (True, False):
        for pad in pads:
            steps, rest = divmod(size + 2 * pad - k, s)
            if steps >= 0 and (rest == 0 or not exact):
                return Stage(steps + 1, size, pad, None if rest == 0 else size)
    return None
