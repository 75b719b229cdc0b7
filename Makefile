.DEFAULT_GOAL := help
SHELL := bash
BIN := .venv/bin
PYTHON ?= python3
PYTEST := $(BIN)/pytest -q
WHOLE_SERVERS := $(wildcard tests/cli tests/operations tests/lab)
REPLAYED := $(addprefix tests/workflows/test_,shopping_trip.py refund.py)

.PHONY: help install demo test proof fuzz chaos histories bench bench-decisions bench-orders bench-ledger check audit lock

help:  ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

.venv/installed: requirements-dev.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

install: .venv/installed  ## Make the .venv that the others use

demo: install  ## Pay for one trip of each kind on real servers (ARGS=--once ends then)
	@$(BIN)/python -m lab.demo $(ARGS)

# More at once than cores: a third of their time, and half of that of whole servers, they wait.
test: install  ## Run all tests; the trips a second time with every task replayed from the start
	$(PYTEST) -n 3 --dist worksteal $(filter-out $(WHOLE_SERVERS),$(wildcard tests/*))
	$(PYTEST) -n 3 --dist worksteal $(REPLAYED) --max-cached-workflows=0
	$(PYTEST) -n 4 --dist worksteal $(WHOLE_SERVERS)

proof: install  ## 2,000 examples of all that can happen to a trip, and to the ledger after it (two minutes)
	$(PYTEST) -n 2 --dist worksteal tests/proof/test_proof.py tests/ledger/test_histories.py \
	  --hypothesis-profile=proof --timeout=1800 --show-capture=no $(ARGS)

fuzz: install  ## 10,000 messages and starts that are nearly right (about a minute)
	$(PYTEST) tests/proof/test_fuzz.py --hypothesis-profile=fuzz --timeout=1800 --show-capture=no $(ARGS)

histories: install  ## Record a workflow of each kind for the replay tests; once for each release
	@$(BIN)/python -m lab.record_histories $(ARGS)

chaos: install  ## Hundreds of trips while calls fail and workers are killed (about five minutes)
	@$(BIN)/python -m lab.chaos $(ARGS)

bench: install  ## Trips a second, beside a bare workflow and bare HTTP calls (some minutes)
	@$(BIN)/python -m lab.bench $(ARGS)

bench-decisions: install  ## A trip that has just begun while 400 others are decided at once (about three minutes)
	@$(BIN)/python -m lab.bench_decisions $(ARGS)

bench-orders: install  ## 1,000 orders while the connector is killed, and what an order costs it (about two minutes)
	@$(BIN)/python -m lab.bench_orders $(ARGS)

bench-ledger: install  ## A day's report out of a million entries: seconds and memory (about two minutes)
	@$(BIN)/python -m lab.bench_ledger $(ARGS)

check: install  ## Lint, format, types, imports, and that what is installed fits together
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/pip check

# Not a part of `check`: it asks PyPI's own JSON API, which a mirror need not have. --strict: what it could not look up
# would pass for sound.
audit: install  ## Look for known vulnerabilities (needs the network)
	$(BIN)/pip-audit --strict --require-hashes -r requirements.lock

lock:  ## Pin anew what pyproject.toml asks for (needs uv and the network)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
