#!/usr/bin/env bash
# A fresh venv, the newest pip, an empty cache: plain `pip install .` brings kchainer and Chainer.
# PYTHONS: interpreters to try, one after the other.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT UV_BUILD_CONSTRAINT PYTHONPATH KCHAINER_NO_PRIME KCHAINER_PUBLISH
all=$(mktemp -d)
trap 'rm -rf "$all"' EXIT

try() {
    local work=$1/$(basename "$(dirname "$2")")-$(basename "$2") python=$2
    mkdir -p "$work/source"
    "$python" -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install -q --upgrade pip
    export PIP_CACHE_DIR="$work/cache"
    git -C "$top" archive HEAD | tar -x -C "$work/source"
    (cd "$work/source" && "$work/venv/bin/python" -m pip install -q .)
    cd "$work"
    "$work/venv/bin/python" - <<'CHECK'
import sys, kchainer, chainer, numpy
from pathlib import Path
assert Path(kchainer.__file__).with_name("py.typed").exists()
print("python", sys.version.split()[0], "kchainer", kchainer.__version__, "chainer", chainer.__version__, "numpy", numpy.__version__)
CHECK
    "$work/venv/bin/kchainer" validate "$top/tests/fixtures/real-models/hls4ml/KERAS_3layer.json"
    "$work/venv/bin/kchainer" doctor >"$work/doctor"
    grep -q "patch sctypes  *applied" "$work/doctor"
}

for python in ${PYTHONS:-python3}; do
    (try "$all" "$python")
done
echo "install: ok"
