"""Ops of values by NumPy's rules: their attributes are the functions' arguments."""

from __future__ import annotations

import dataclasses
from typing import Any

from kchainer.emit.plan import Call, Emitted, Site, emits
from kchainer.ir import ops


def given(op: Any) -> dict[str, Any]:
    """The attributes that are not what kchainer's JSON may leave out."""
    return {
        f.name: getattr(op, f.name)
        for f in dataclasses.fields(op)
        if getattr(op, f.name) != f.metadata["spec"]
    }


# one function of kchainer for each op, the same arguments
FUNCTIONS: dict[type[Any], str] = {
    ops.Elementwise: "elementwise",
    ops.Binary: "binary",
    ops.Where: "choose",
    ops.Clip: "clip",
    ops.Reduce: "reduce",
    ops.Quantile: "quantile",
    ops.Cumulative: "cumulative",
    ops.MatMul: "matmul",
    ops.Einsum: "einsum",
    ops.Cast: "cast",
    ops.Slice: "take_slices",
    ops.BroadcastTo: "broadcast_to",
    ops.Pad: "pad_axes",
    ops.Tile: "tile",
    ops.Repeat: "repeat",
    ops.Roll: "roll",
    ops.Take: "take",
    ops.TakeAlongAxis: "take_along_axis",
    ops.OneHot: "one_hot",
    ops.Sort: "sort",
    ops.Triangle: "triangle",
    ops.ReshapeAll: "reshape_whole",
    ops.Scatter: "scatter",
    ops.ScatterUpdate: "scatter_update",
    ops.Segment: "segment",
    ops.SearchSorted: "search_sorted",
    ops.Histogram: "histogram",
    ops.Diagonal: "diagonal",
    ops.DiagonalMatrix: "diagonal_matrix",
    ops.MapCoordinates: "map_coordinates",
    ops.AffineTransform: "transform_images",
    ops.Colours: "colours",
    ops.Fourier: "fourier",
    ops.MatrixFunction: "matrix_function",
    ops.SolveEquations: "solve_equations",
}


def _same_arguments(name: str) -> Any:
    def emission(op: Any, site: Site) -> Emitted:
        return Call(f"kchainer.functions.{name}", given(op))

    return emission


for _op, _name in FUNCTIONS.items():
    emits(_op)(_same_arguments(_name))
