# Each target works alone, from a bare clone, with Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test check lint bench chaos clean

demo: $(STAMP)
	$(BIN)/goldspan demo $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

bench: $(STAMP)
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/gate_simulation.py

chaos: $(STAMP)
	$(BIN)/python -m pytest -m chaos $(ARGS)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): pyproject.toml
	@echo "Installing Goldspan into $(VENV) (some 130 packages, a few minutes the first time) ..."
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Goldspan needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --quiet -e '.[all]' --group dev
	@touch $@
