# Verbs of the project. `make` alone explains them. Each line that CI runs stands here as CI runs it.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME ?= cpu
READY := $(VENV)/.ready
SEED ?=
N ?= 60000
PROVE ?=
WORKERS ?= 2
BURST ?=
SECONDS ?= 120
CHAOS ?=
SOAK ?=
BENCH ?= all

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check format prove burst chaos soak bench train-stt train-tts eval-stt eval-tts clean

help: ## what there is
	@echo "Heliovox: streaming speech near the people who speak"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20
	@echo
	@echo "  SEED=N      demo: another draw of sentences; prove: other worlds"
	@echo "  WORKERS=N   test: so many processes (2)"
	@echo "  N=...       prove: so many decisions; PROVE=... its other options (PROVE=--help)"
	@echo "  BURST=...   burst: its options (BURST=--help)"
	@echo "  SECONDS=N   chaos: of speech (120); CHAOS=... its other options (CHAOS=--help)"
	@echo "  SOAK=...    soak: its options (SOAK=--help)"
	@echo "  BENCH=...   bench: which one, and its options (make bench BENCH=--help)"

$(READY): requirements/dev.txt pyproject.toml packaging/node/pyproject.toml
	@PYTHON="$(PYTHON)" VENV="$(VENV)" ./packaging/bootstrap
	@touch $(READY)

setup: $(READY) ## the virtual environment, from the locked requirements

demo: $(READY) ## a world that places, hears, speaks, is hurt and serves on, in about a minute
	@$(BIN)/heliovox demo $(if $(SEED),--seed $(SEED))

up: $(READY) ## the same world, until Ctrl-C, for you to look into
	@$(BIN)/heliovox up

test: $(READY) ## every test that needs no special machine
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(READY) ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY) ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

prove: $(READY) ## every decision checked by a program of its own, planted faults caught (a minute or two)
	@$(BIN)/python -m prover --decisions $(N) $(if $(SEED),--seed $(SEED)) $(PROVE)

burst: $(READY) ## ten thousand callers at one moment onto two thousand seats
	@$(BIN)/python -m tests.benchmarks.burst $(BURST)

chaos: $(READY) ## nodes die, hang and move, links break, while people speak: no word may be lost
	@$(BIN)/python -m tests.chaos --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(CHAOS)

soak: $(READY) ## a node under load, and a session of a hundred days: half an hour or so
	@$(BIN)/python -m tests.soak $(if $(SEED),--seed $(SEED)) $(SOAK)

bench: $(READY) ## figures of docs/performance.md, measured again (minutes; wants a quiet machine)
	@$(BIN)/python -m pip --disable-pip-version-check install -q --require-hashes -r requirements/bench.txt
	@$(BIN)/python -m tests.benchmarks $(BENCH)

train-stt: ## train the recogniser again (hours; its own environment, see training/README.md)
	$(PYTHON) -m training.stt.run

train-tts: ## train the voices again (half an hour; likewise)
	$(PYTHON) -m training.tts.run

eval-stt: ## the figures of docs/models/stt-en-telephone.md
	$(PYTHON) -m training.stt.evaluate

eval-tts: ## the figures of docs/models/voices.md
	$(PYTHON) -m training.tts.evaluate

clean: ## remove what make made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
