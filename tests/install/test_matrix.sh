#!/usr/bin/env bash
# test_matrix.sh PYTHON "numpy==1.26.*" FOLDER: the tests that run no Keras on one pair (NumPy 1 also means pyfive 1.0).
# PyTorch is not built for every pair, so recorded outputs of Keras stand for it. The venv stays in FOLDER.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
python=$1 numpy=$2 folder=$3
cd "$top"
if ! [ -e "$folder/.stamp" ]; then
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install -q --upgrade pip
    "$folder/bin/python" -m pip install -q -e ".[recorded]" "$numpy"
    touch "$folder/.stamp"
fi
"$folder/bin/python" -c "import sys, numpy; print('python', sys.version.split()[0], 'numpy', numpy.__version__)"
"$folder/bin/python" -m pytest -q -n 2 -m "not slow" \
    tests/compat tests/diagnostics tests/files tests/frontends tests/ir tests/recorded tests/spec \
    tests/sequential2016 tests/cli tests/hostile
