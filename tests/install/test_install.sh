#!/usr/bin/env bash
# A fresh venv, the newest pip, an empty cache: plain `pip install .` brings kchainer and Chainer.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --upgrade pip
export PIP_CACHE_DIR="$work/cache"
unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PYTHONPATH
git -C "$top" archive HEAD | (mkdir "$work/source" && tar -x -C "$work/source")
(cd "$work/source" && "$work/venv/bin/python" -m pip install -q .)
cd "$work"
"$work/venv/bin/python" -c "import kchainer, chainer, numpy; print('kchainer', kchainer.__version__, 'chainer', chainer.__version__, 'numpy', numpy.__version__)"
"$work/venv/bin/kchainer" validate "$top/tests/fixtures/real-models/hls4ml/KERAS_3layer.json"
echo "install: ok"
