# What people type and what .ci/run runs: `make help` lists it.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SMOKE := train data=moons schedule.epochs=2 evaluation=quick

# Small matrices: more threads than one only get in each other's way.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup install mnist smoke package test test-all lint format types bench bench-grid clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## create .venv and install cftrain with its tools
install: setup ## the same

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("expected Python 3.11 or later, got %d.%d: say make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev]'
	@touch $@

mnist: $(INSTALLED) ## counterfactual training against the baseline on digits
	$(BIN)/cftrain train +experiment=mnist $(ARGS)

smoke: $(INSTALLED) ## a tiny training, end to end
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	(set -x; $(BIN)/cftrain $(SMOKE) hydra.run.dir="$$folder")

package: $(INSTALLED) ## build the wheel and train with it, away from this checkout
	rm -rf dist
	$(BIN)/python -m build
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(BIN)/python -m pip install --quiet --no-deps --target "$$folder/site" dist/*.whl && \
	cd "$$folder" && \
	(set -x; PYTHONPATH=site "$(CURDIR)/$(BIN)/python" -m cftrain $(SMOKE) hydra.run.dir=run)

test: $(INSTALLED) ## the tests that take seconds; ARGS="-k search" chooses
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

test-all: $(INSTALLED) ## all tests
	$(BIN)/pytest -n $(WORKERS) -m "" $(ARGS)

lint: $(INSTALLED) ## look for mistakes and for another format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED) ## mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(INSTALLED) ## check the types
	$(BIN)/mypy

bench-grid: $(INSTALLED) ## time the 270 models of a published grid
	$(BIN)/python scripts/bench_grid.py $(ARGS)

bench: $(INSTALLED) ## measure search and training
	$(BIN)/python scripts/bench_search.py
	$(BIN)/python scripts/bench_training.py
	$(BIN)/python scripts/bench_cells.py

clean: ## remove what was built or cached, but neither .venv nor outputs
	rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -prune -exec rm -rf {} +
