#!/usr/bin/env bash
# A fresh venv, the newest pip, an empty cache: plain `pip install .` brings kchainer and Chainer.
# PYTHONS: interpreters to try, one after the other.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT UV_BUILD_CONSTRAINT PYTHONPATH KCHAINER_NO_PRIME KCHAINER_PUBLISH
all=$(mktemp -d)
trap 'rm -rf "$all"' EXIT

try() {
    local work python=$2
    work=$(mktemp -d -p "$1")
    mkdir "$work/source"
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

# The wheel that is published: no Chainer, everything but building works, and one command brings Chainer.
published() {
    local work=$1/published python=$2 model="$top/tests/fixtures/real-models/hls4ml/KERAS_3layer.json"
    mkdir -p "$work/source"
    "$python" -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install -q --upgrade pip
    export PIP_CACHE_DIR="$work/cache"
    git -C "$top" archive HEAD | tar -x -C "$work/source"
    KCHAINER_PUBLISH=1 "$work/venv/bin/python" -m pip wheel -q --no-deps -w "$work" "$work/source"
    "$work/venv/bin/python" -m pip install -q "$work"/kchainer-*.whl
    cd "$work"
    ! "$work/venv/bin/python" -c "import importlib.metadata as m; m.version('chainer')" 2>/dev/null
    "$work/venv/bin/kchainer" validate "$model"
    if "$work/venv/bin/kchainer" convert "$model" --weights "${model%.json}.weights.h5" -o out 2>message; then exit 1; fi
    grep -q "python -m kchainer install-chainer" message
    "$work/venv/bin/python" -m kchainer install-chainer
    "$work/venv/bin/kchainer" convert "$model" --weights "${model%.json}.weights.h5" -o out
    if "$work/venv/bin/python" -m pip list 2>/dev/null | grep -q "^setuptools  *[1-7]"; then exit 1; fi
}

for python in ${PYTHONS:-python3}; do
    (try "$all" "$python")
done
(published "$all" "$python")
echo "install: ok"
