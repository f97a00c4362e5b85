"""kchainer convert: a Keras model as a folder of Chainer files, or as one of them."""

from __future__ import annotations

import argparse
import json
import os
import sys

from kchainer.cli import options


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("file", help="a Keras model (.json, .yaml, .h5, .keras), a spec or an IR file")
    parser.add_argument("--weights", metavar="FILE", help="its weights where they are in a file of their own")
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="the folder, or with --to the file; - is stdout"
    )
    parser.add_argument("--to", choices=("ir", "source", "spec"), help="only one form, as a file")
    parser.add_argument(
        "--verify", action="store_true", help="compare with Keras, which runs in a process of its own"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing when all goes well")
    parser.add_argument(
        "--by-name",
        action="store_true",
        help="layers take the weights of their namesakes in an .h5; others none",
    )
    parser.add_argument(
        "--skip-mismatch", action="store_true", help="leave out weights that do not fit, and say which"
    )
    options.reading(parser)


def run(args: argparse.Namespace) -> int:
    """Read, convert, write, print the table."""
    from kchainer import api
    from kchainer.diagnostics import render_text
    from kchainer.files import refuse_same_file

    inputs = [args.file, *([args.weights] if args.weights else [])]
    model = api.read(
        args.file,
        args.weights,
        dialect=args.dialect,
        keras_backend=args.keras_backend,
        limits=options.limits(args),
        allow=args.allow,
        custom=options.custom(args),
        lora=args.lora,
        variables=options.variables(args),
        by_name=args.by_name,
        skip_mismatch=args.skip_mismatch,
    )
    if model.warnings:
        print(render_text(model.warnings), file=sys.stderr)
    refuse_same_file(args.output, *inputs)
    if args.to:
        return _one(model, args)
    from kchainer import bundle

    transposes = sum(plan.transposes for plan in api.plans_of(model).values())
    layers = sum(len(network.layers) for network in model.networks.values())
    lines = [
        f"read    {args.file}: {model.origin.dialect}, {layers} layers, "
        f"{options.count_params(model):,} parameters",
        f"layout  {transposes} transpose{'' if transposes == 1 else 's'}",
    ]
    if not model.arrays and options.count_params(model):
        print("no weights given: the network is initialised as its config says", file=sys.stderr)
    for name in bundle.FILES:
        refuse_same_file(os.path.join(args.output, name), *inputs)  # noqa: PTH118  an argument
    written = bundle.write(model, args.output)
    lines += [f"wrote   {args.output}/{w.name:<12} {options.bytes_of(w.size):>7}  {w.what}" for w in written]
    if not args.quiet:
        print("\n".join(lines), flush=True)
    return _against_keras(args) if args.verify else 0


def _against_keras(args: argparse.Namespace) -> int:
    """Compare the folder with what Keras makes of its test vector; 1 where they differ or Keras does not run."""
    import subprocess
    import tempfile
    from pathlib import Path

    from kchainer.cli import reference, verify

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "reference.npz"
        check = Path(args.output) / "check.npz"
        command = [
            sys.executable,
            "-P",
            "-m",
            reference.__name__,
            args.file,
            args.weights or "",
            str(check),
            str(made),
        ]
        path = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            print(f"not verified: Keras does not run this file here: {reason[0]}", file=sys.stderr)
            print(
                "help: KERAS_BACKEND says which backend a Keras 3 runs on, torch for example", file=sys.stderr
            )
            return 1
        return verify.compare(args.output, made, verify.TOLERANCE)


def _one(model: object, args: argparse.Namespace) -> int:
    from kchainer import api
    from kchainer.files import atomic_write
    from kchainer.ir.graph import Model

    assert isinstance(model, Model)
    if args.to == "source":
        text = api.to_source(model)
    elif args.to == "spec":
        text = json.dumps(api.to_spec(model), indent=1) + "\n"
    else:
        from kchainer.ir.spec import to_json

        text = json.dumps(to_json(model), indent=1) + "\n"
    if args.output == "-":
        sys.stdout.write(text)
        return 0
    with atomic_write(args.output) as file:
        file.write(text.encode())
    return 0
