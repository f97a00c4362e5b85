# Each target does all its own set-up in .venv. Python 3.11, 3.12 or 3.13; no compiler.
# Newer ones are not tried yet; `make PYTHON=...` names an interpreter.
VERSIONS = 3.11 3.12 3.13
probe = $(shell $(1) -c "import sys; sys.version_info[:2] in ((3, 11), (3, 12), (3, 13)) and print('$(1)')" 2>/dev/null)
PYTHONS := $(foreach v,$(VERSIONS),$(call probe,python$(v)))
PYTHON ?= $(or $(firstword $(PYTHONS)),$(call probe,python3),$(error Python 3.11, 3.12 or 3.13 is needed: make PYTHON=...))
OLDEST ?= $(PYTHON)
NEWEST ?= $(or $(lastword $(PYTHONS)),$(PYTHON))
BIN = .venv/bin
# Chainer's setup.py needs an old setuptools: the first variable reaches pip before 26.2, the second pip from 25.3.
CONSTRAIN = PIP_CONSTRAINT=build-constraints.txt PIP_BUILD_CONSTRAINT=build-constraints.txt UV_BUILD_CONSTRAINT=build-constraints.txt
SOURCES = kchainer tests tools benchmarks examples docs setup.py

.PHONY: setup install test test-all test-matrix test-install check demo bench golden measure schemas fuzz

.venv/.stamp: setup.py pyproject.toml build-constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
	$(CONSTRAIN) $(BIN)/python -m pip install -q -e ".[dev]"
	touch .venv/.stamp

setup: .venv/.stamp

install:
	$(CONSTRAIN) $(PYTHON) -m pip install .

test: setup
	$(BIN)/python -m pytest -n 2 -m "not slow"

# Slow tests stand side by side, so a worker without work takes some of the other's.
test-all: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The oldest and the newest pair of Python and NumPy, in .venv-oldest and .venv-newest.
test-matrix:
	$(CONSTRAIN) bash tests/install/test_matrix.sh $(OLDEST) "numpy==1.26.*" .venv-oldest
	$(CONSTRAIN) bash tests/install/test_matrix.sh $(NEWEST) "numpy>=2" .venv-newest

# Plain `pip install .` into empty venvs, with every supported Python that is there.
test-install:
	PYTHONS="$(or $(PYTHONS),$(PYTHON))" bash tests/install/test_install.sh

check: setup
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy kchainer
	$(BIN)/python -m pytest -q tests/house

# Random models against Keras for so long; what differs is written to tests/fuzz/found.
MINUTES ?= 10
fuzz: setup
	OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m tests.fuzz.run $(MINUTES)

demo: setup
	$(BIN)/python examples/demo.py

bench: setup
	$(BIN)/python benchmarks/convert.py

golden: setup
	$(BIN)/python tests/commands/runner.py

# The largest error of each class, for docs/support.md: run when cases or what they run through change.
measure: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -p no:xdist -p tests.measure tests/parity/test_parity.py \
	    tests/parity/test_augmentation.py tests/recorded
	$(BIN)/python docs/make_support.py

schemas: setup
	$(BIN)/python docs/make_support.py
	$(BIN)/python docs/make_compat.py
	$(BIN)/python docs/make_spec.py
	$(BIN)/python -c "from kchainer.diagnostics import codes_page; print(codes_page(), end='')" > docs/codes.md
	$(BIN)/python -m kchainer schema --write schemas
