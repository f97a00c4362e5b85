"""Ops that do something in training only."""

from __future__ import annotations

from kchainer.emit.plan import Call, Emitted, Site, emits
from kchainer.ir import ops


def _moved(noise_shape: tuple[int | None, ...] | None, site: Site) -> tuple[int | None, ...] | None:
    return None if noise_shape is None else tuple(noise_shape[a] for a in site.order)


@emits(ops.Dropout)
def dropout(op: ops.Dropout, site: Site) -> Emitted:
    if op.noise_shape is None:
        return Call("chainer.functions.dropout", {"ratio": op.rate})
    return Call("kchainer.functions.dropout", {"ratio": op.rate, "noise_shape": _moved(op.noise_shape, site)})


@emits(ops.SpatialDropout)
def spatial_dropout(op: ops.SpatialDropout, site: Site) -> Emitted:
    return Call("kchainer.functions.spatial_dropout", {"ratio": op.rate})


@emits(ops.GaussianNoise)
def gaussian_noise(op: ops.GaussianNoise, site: Site) -> Emitted:
    return Call("kchainer.functions.gaussian_noise", {"std": op.stddev})


@emits(ops.GaussianDropout)
def gaussian_dropout(op: ops.GaussianDropout, site: Site) -> Emitted:
    return Call("kchainer.functions.gaussian_dropout", {"rate": op.rate})


@emits(ops.AlphaDropout)
def alpha_dropout(op: ops.AlphaDropout, site: Site) -> Emitted:
    return Call(
        "kchainer.functions.alpha_dropout", {"rate": op.rate, "noise_shape": _moved(op.noise_shape, site)}
    )


@emits(ops.ActivityRegularization)
def activity_regularization(op: ops.ActivityRegularization, site: Site) -> tuple[Emitted, ...]:
    return ()
