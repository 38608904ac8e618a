# `make audit` and `make test` need only Python, pip, git and make: the first call installs everything into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Two test workers with two BLAS threads each would wait for one another.
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: audit test lint lowest bench clean

audit: $(READY)
	$(BIN)/gluntk verify --profile quick

test: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist worksteal

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gluntk needs Python 3.11 or newer, got " + sys.version.split()[0] + "; name another with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

bench: $(READY)
	$(BIN)/python -m benchmarks

# The oldest releases that pyproject.toml allows, in an environment of their own.
lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' --constraint tests/lowest.txt
	$(ONE_THREAD) .venv-lowest/bin/python -m pytest -n 2 --dist worksteal

clean:
	rm -rf $(VENV) .venv-lowest build *.egg-info
