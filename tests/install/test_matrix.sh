#!/usr/bin/env bash
# A small part of the tests on one pair (NumPy 1 also means pyfive 1.0): test_matrix.sh PYTHON "numpy==1.26.*" FOLDER. The venv stays in FOLDER.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
python=$1 numpy=$2 folder=$3
cd "$top"
if ! [ -e "$folder/.stamp" ]; then
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install -q --upgrade pip
    "$folder/bin/python" -m pip install -q -e ".[test]" "$numpy"
    touch "$folder/.stamp"
fi
"$folder/bin/python" -c "import sys, numpy; print('python', sys.version.split()[0], 'numpy', numpy.__version__)"
"$folder/bin/python" -m pytest -q -n 2 -m "not slow" tests/compat tests/files tests/functions tests/recorded
