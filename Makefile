# Every command a developer needs; `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
ROUNDS ?= 0
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS ?= .venv-peers
# Hundreds of processes start in the tests: what is compiled once is kept, whatever the developer's shell says.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help install demo test check faults soak bench format lock screenshot recording docs clean
help:            ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14

install: $(READY) ## the locked dependencies and cockpit itself, into .venv

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)   ## a release on the embedded demo fleet
	$(BIN)/cockpit demo

servers:
	@sh tests/install-servers.sh

test: $(READY) servers ## the tests, with branch coverage of core, steps and signals
	$(BIN)/python -m pytest -n 4 --dist worksteal --cov --cov-report=term

check: $(READY) servers ## what CI runs: format, lint, types, import contracts, tests
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/basedpyright --warnings
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 4 --dist worksteal --cov --cov-report=term

faults: $(READY) servers ## every fault of docs/faults.md, the slow ones too
	$(BIN)/python -m pytest tests/faults -m "faults_slow or not faults_slow" -n 4 --dist worksteal --ignore tests/faults/test_flood.py
	$(BIN)/python -m pytest tests/faults/test_flood.py -m faults_slow

soak: $(READY) servers ## long searches, a night of eight hours, then random faults until something breaks or you stop it (ROUNDS=N: so many; SEED=N: these alone)
	$(if $(SEED),,$(BIN)/python -m pytest -m "long or hypothesis" --hypothesis-profile=soak -n 4 --dist worksteal)
	$(BIN)/python -m tests.faults.night $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.faults.night_ssh $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.faults.soak --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))

bench: $(READY) $(PEERS)/.ready servers ## speed beside other tools and floors, all measured in the same run (WRITE=PAGE; QUICK=1)
	PEERS=$(abspath $(PEERS)) $(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick) $(if $(WRITE),--write $(WRITE))

$(PEERS)/.ready: tests/benchmarks/peers/requirements.lock tests/benchmarks/peers/install.sh
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/benchmarks/peers/requirements.lock
	sh tests/benchmarks/peers/install.sh $(PEERS)
	@touch $@

screenshot: $(READY) ## the pictures in docs/, drawn anew
	$(BIN)/python -m tests.tui.screenshot docs

recording: $(READY) ## the README's moving picture, played anew
	$(BIN)/python -m tests.tui.recording docs/recording.svg

docs: $(READY)   ## the generated pages, written anew
	$(BIN)/python -c "from cockpit.planfile.reference import reference; print(reference(), end='')" > docs/plan.md
	$(BIN)/python -m cockpit.tui.keys_page > docs/keys.md
	$(BIN)/cockpit schema --of review > docs/review.schema.json
	$(BIN)/python -c "from cockpit.cli.exit_codes import page; print(page(), end='')" > docs/exit-codes.md
	$(BIN)/python -m tests.errors_page > docs/errors.md

format: $(READY) ## rewrite the code in the one format
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

lock:            ## resolve the dependencies anew, with hashes (needs uv)
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-strip-extras --no-emit-index-url \
	  --python-version 3.11 --quiet --upgrade --custom-compile-command "make lock" -o requirements.lock
	uv pip compile tests/benchmarks/peers/requirements.in --universal --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --quiet --upgrade --custom-compile-command "make lock" -o tests/benchmarks/peers/requirements.lock

clean:           ## remove what was built
	rm -rf $(VENV) $(PEERS) dist .pytest_cache .ruff_cache .hypothesis .coverage
