# Each target works alone, from a bare clone, with Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test check lint bench chaos record clean

demo: $(STAMP)
	$(BIN)/goldspan demo $(ARGS)

# File by file, those that wait for processes first; one worker more than cores, since many wait. One at a time:
# make test WORKERS=0
WORKERS ?= $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 1)")
test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

# Some minutes; docs/performance.md was measured with STORED=2000000, which takes five more, once.
STORED ?= 200000
bench: $(STAMP)
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.harness
	$(BIN)/python -m benchmarks.queries --spans $(STORED)
	$(BIN)/python -m benchmarks.ingest --stored $(STORED)
	$(BIN)/python -m benchmarks.pages --stored $(STORED)
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -m benchmarks.gate_simulation

chaos: $(STAMP)
	GOLDSPAN_CHAOS_ROUNDS=20 $(BIN)/python -m pytest -m chaos $(ARGS)

# Records the demo's answers, in build/record, from a model at BASE_URL. Again, it asks only for what is missing:
# after an interruption, or where a run met the contract's time limit on a slow machine.
# Pack them with: .venv/bin/python -m goldspan.harness.demo.recording build/record --model ... --weights-sha256 ...
BASE_URL ?= http://127.0.0.1:8089/v1
DEMO     := harness/goldspan/harness/demo
RECORD   := GOLDSPAN_PRICES=$(DEMO)/prices.yaml $(BIN)/goldspan
record: $(STAMP)
	mkdir -p build/record
	set -e; for set in v1.0.0-0 v1.0.0-1 v1.1.0-0 v1.2.0-0; do \
	  version=$${set%-*}; seed=$${set##*-}; name=$$version-seed-$$seed; \
	  $(RECORD) eval golden/goldspan/golden/suites/support_desk --agent $(DEMO)/agents/support-desk/$$version \
	    --seed $$seed --record --cassette build/record/$$name.jsonl --base-url $(BASE_URL) --concurrency 4 \
	    --store build/record/$$name.duckdb; \
	done
	$(RECORD) run $(DEMO)/agents/support-desk/v1.0.0 --queue $(DEMO)/queue.yaml --seed 2 --record \
	  --cassette build/record/queue.jsonl --base-url $(BASE_URL) --concurrency 4 --store build/record/queue.duckdb

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): pyproject.toml
	@echo "Installing Goldspan into $(VENV) (some 130 packages, a few minutes the first time) ..."
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Goldspan needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --quiet -e '.[all]' --group dev
	@touch $@
