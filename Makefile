# make test and make demo do all their own set-up in .venv. Python 3.11, 3.12 or 3.13; no compiler.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell $(p) -c "import sys; sys.version_info >= (3, 11) and print('$(p)')" 2>/dev/null)))
BIN = .venv/bin
# Chainer's setup.py needs an old setuptools: the first variable reaches pip before 26.2, the second pip from 25.3.
CONSTRAIN = PIP_CONSTRAINT=build-constraints.txt PIP_BUILD_CONSTRAINT=build-constraints.txt UV_BUILD_CONSTRAINT=build-constraints.txt

.PHONY: setup install test test-all check demo test-install schemas

.venv/.stamp: setup.py pyproject.toml build-constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
	$(CONSTRAIN) $(BIN)/python -m pip install -q -e ".[test]"
	touch .venv/.stamp

setup: .venv/.stamp

install:
	$(CONSTRAIN) $(PYTHON) -m pip install .

test: setup
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: setup
	$(BIN)/python -m pytest -n 2

check: setup
	$(BIN)/ruff check kchainer tests

demo: setup
	$(BIN)/python examples/demo.py

test-install:
	bash tests/install/test_install.sh

schemas: setup
	$(BIN)/python docs/make_support.py
	$(BIN)/python docs/make_spec.py
	$(BIN)/python -m kchainer schema --write schemas
