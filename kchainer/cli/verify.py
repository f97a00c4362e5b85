"""kchainer verify: a converted folder against its test vector or a reference."""

from __future__ import annotations

import argparse
from pathlib import Path

TOLERANCE = 1e-4


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("folder", help="what `kchainer convert` wrote")
    parser.add_argument(
        "--reference", metavar="NPZ", help="x0... inputs and y0... outputs of Keras, in Keras's shapes"
    )
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help=f"of each output's scale (default {TOLERANCE})"
    )


def run(args: argparse.Namespace) -> int:
    """Print the difference of each output; 1 where one is too large."""
    return compare(args.folder, args.reference or Path(args.folder) / "check.npz", args.tolerance)


def compare(folder: str, reference: str | Path, tolerance: float) -> int:
    """Print how the outputs of a converted folder differ from a reference's; 1 where one differs too much."""
    from kchainer import bundle

    net = bundle.load(folder, check=False)
    differences = bundle.compare(net, reference)
    for i, difference in enumerate(differences):
        verdict = "ok" if difference <= tolerance else "DIFFERS"
        print(f"output {i}  largest difference {difference:.2e} of its scale  {verdict}")
    first = bundle.first_difference(net, reference, tolerance)
    if first is not None:
        print(f'layer    "{first[0]}" is the first that differs: {first[1]:.2e} of its scale')
    return 0 if first is None and all(d <= tolerance for d in differences) else 1
