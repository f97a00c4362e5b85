"""Run Chainer's own tests on this NumPy, with or without kchainer.compat, and compare with a recorded list.

    git clone --branch v7.8.1 <Chainer's repository> chainer
    python tools/run_chainer_tests.py chainer --record tools/chainer_tests/newest.tsv

The Chainer that is tested is the installed one; only ``tests/`` of the checkout is used (a copy of it: seven
tests spell names that NumPy 2 removed, see ``RESPELLED``). Everything runs on the CPU and with Chainer's own
pairwise parameterization. ``--python`` names another interpreter, for the pair of old libraries. It needs there:
chainer, numpy, scipy, h5py, protobuf, pytest, mock, and optionally matplotlib and pillow.
"""

from __future__ import annotations

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
# What a machine without accelerators cannot run, and what takes hours.
MARKERS = " and ".join(
    f"not {marker}" for marker in ("gpu", "cudnn", "slow", "chainerx", "ideep", "multi_gpu", "theano")
)
# Names of NumPy that the tests themselves use and that are gone: file -> (pattern, spelling both NumPys know).
RESPELLED = {
    "functions_tests/array_tests/test_get_item.py": (r"numpy\.bool\b", "bool"),
    "test_function_node.py": (r"numpy\.product\b", "numpy.prod"),
    "test_function.py": (r"numpy\.product\b", "numpy.prod"),
    "test_backprop_utils.py": (r"numpy\.product\b", "numpy.prod"),
    "backends_tests/test_cuda.py": (r"numpy\.complex_\b", "numpy.complex128"),
    "test_variable.py": (r"np\.int\b", "int"),
    "serializers_tests/test_npz.py": (r"numpy\.object\b", "object"),
}
# Chainer's own settings turn every warning into an error, also those of today's pytest, SciPy and h5py.
SETTINGS = """[pytest]
filterwarnings =
    default
python_classes = Test
python_functions = test
markers =
    chainerx: ChainerX
    cudnn: cuDNN
    gpu: GPU
    ideep: iDeep
    theano: Theano
    multi_gpu: several GPUs
    slow: slow
    parametrize_device: devices
    parametrize_device_name: devices
"""
# Parameterized classes are named Test_param_3_{'dtype': ...}: one row for each test in the recorded list.
PARAMETERS = re.compile(r"_(?:use\d*|param|product)_\d+_\{.*\}|\[.*", re.DOTALL)
BACKENDS = re.compile(r"_use_(?:chainerx|cuda|cudnn|ideep)_\w*")
Counts = dict[str, collections.Counter[str]]


def copy_tests(checkout: Path, folder: Path) -> Path:
    """The tests of the checkout, respelled."""
    tests = folder / "tests"
    shutil.copytree(checkout / "tests", tests)
    (tests / "pytest.ini").write_text(SETTINGS)
    for name, (pattern, spelling) in RESPELLED.items():
        path = tests / "chainer_tests" / name
        path.write_text(re.sub(pattern, spelling, path.read_text(encoding="utf-8")), encoding="utf-8")
    return tests


def groups(tests: Path, only: list[str]) -> Iterator[str]:
    """One run each: a folder of test files, or one file at the top. A crash then costs one group."""
    top = tests / "chainer_tests"
    holders = {path.parent if path.parent != top else path for path in top.rglob("test_*.py")}
    for path in sorted(holders):
        name = str(path.relative_to(tests))
        if not only or any(name.removeprefix("chainer_tests/").startswith(wanted) for wanted in only):
            yield name


def environment(folder: Path, compat: bool) -> dict[str, str]:
    """The child's variables. ``sitecustomize`` also reaches the interpreters that the tests start themselves."""
    found = os.environ | {
        "CHAINER_TEST_PAIRWISE_PARAMETERIZATION": "always",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        # The code that protoc made for Caffe models is older than protobuf 4, whose C++ refuses it.
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python",
        "PYTHONPATH": "",
    }
    if compat:
        site = folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text("import kchainer.compat\nkchainer.compat.install()\n")
        found["PYTHONPATH"] = os.pathsep.join([str(site), str(HERE.parent)])
    return found


def test_name(case: ElementTree.Element) -> str:
    """``file.Class::test`` without parameters; modules that do not collect have their name only."""
    place, name = (PARAMETERS.sub("", case.get(key, "")) for key in ("classname", "name"))
    place = BACKENDS.sub("", place)
    return f"{place}::{name.rstrip(']')}".removeprefix("::").removeprefix("chainer_tests.")


def outcome(case: ElementTree.Element) -> str:
    """One word for a test."""
    kinds = {child.tag for child in case}
    return next((kind for kind in ("error", "failure", "skipped") if kind in kinds), "passed")


def run_group(python: str, tests: Path, group: str, variables: dict[str, str], log: Path) -> Counts:
    """Run one group; what each of its tests came to."""
    junit = log.with_suffix(".xml")
    command = [
        python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-c",
        "pytest.ini",
    ]
    command += ["--rootdir", str(tests), "-m", MARKERS, "--tb=short", f"--junitxml={junit}", group]
    with log.open("w") as out:
        done = subprocess.run(command, cwd=tests, env=variables, stdout=out, stderr=out, check=False)
    counts: Counts = collections.defaultdict(collections.Counter)
    if not junit.exists():
        counts[f"{group}::run"][f"error: exit code {done.returncode}"] += 1
        return counts
    for case in ElementTree.parse(junit).getroot().iter("testcase"):  # noqa: S314  pytest wrote it
        counts[test_name(case)][outcome(case)] += 1
    return counts


def failures(counts: Counts) -> dict[str, int]:
    """Test to number of parameter sets that failed, or did not collect."""
    bad = {
        name: sum(n for kind, n in kinds.items() if kind not in ("passed", "skipped"))
        for name, kinds in counts.items()
    }
    return {name: number for name, number in sorted(bad.items()) if number}


def read_record(path: Path) -> dict[str, tuple[int, str]]:
    """Test to (number, cause)."""
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {name: (int(number), cause) for name, number, cause in rows}


def compare(found: dict[str, int], recorded: dict[str, tuple[int, str]], ran: set[str]) -> list[str]:
    """What is not as recorded; tests that did not run are not compared."""
    wrong = [
        f"{name}: {number} failed, {recorded.get(name, (0, ''))[0]} recorded"
        for name, number in found.items()
        if number != recorded.get(name, (0, ""))[0]
    ]
    passed = sorted(name for name in recorded if name in ran and name not in found)
    return wrong + [f"{name}: passes, {recorded[name][0]} failures recorded" for name in passed]


def main() -> int:
    """0 if every outcome is as recorded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkout", type=Path, help="a checkout of Chainer's repository at v7.8.1")
    parser.add_argument("--python", default=sys.executable, help="interpreter to test, this one by default")
    parser.add_argument("--without-compat", action="store_true", help="plain Chainer, for old libraries")
    parser.add_argument(
        "--record", type=Path, help="list of expected failures: test, number, cause; tabs between"
    )
    parser.add_argument("--only", nargs="*", default=[], help="folders or files below tests/chainer_tests")
    parser.add_argument("--logs", type=Path, help="keep logs and junit files here")
    args = parser.parse_args()
    counts: Counts = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tests = copy_tests(args.checkout, folder)
        logs = args.logs.resolve() if args.logs else folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        variables = environment(folder, not args.without_compat)
        for group in groups(tests, args.only):
            began = time.monotonic()
            here = run_group(args.python, tests, group, variables, logs / f"{group.replace('/', '-')}.log")
            total = sum(here.values(), collections.Counter())
            print(f"{group:<60} {time.monotonic() - began:6.0f} s  {dict(total)}", flush=True)
            for test, kinds in here.items():
                counts[test] += kinds
    total = sum(counts.values(), collections.Counter())
    print(f"total {sum(total.values())}: {dict(total)}")
    found = failures(counts)
    for test, number in found.items():
        print(f"failed\t{test}\t{number}")
    if args.record is None:
        return 0
    wrong = compare(found, read_record(args.record), set(counts))
    print("\n".join(wrong) or "all as recorded")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
