# What people type and what .ci/run runs: `make help` lists it.

PYTHON ?= python3
WORKERS ?= 2
# constraints-lowest.txt has the oldest versions that pyproject.toml allows.
CONSTRAINTS ?= constraints.txt
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SEEDS ?= [2025,1,2,3,4]
SMOKE := train data=moons schedule.epochs=2 evaluation=quick
SMOKE_GRID := grid=ablation 'grid.axes.experiment=[moons]' '+grid.axes.seed=[1,2]' \
	schedule.epochs=2 evaluation.rounds=2

# Small matrices: more threads than one only get in each other's way.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup install mnist tables paper paper-quick methods post-hoc smoke package docs test torture test-all lint format types bench bench-store bench-grid bench-explain bench-api bench-generators bench-networks bench-peers bench-scale clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## create .venv and install cftrain with its tools
install: setup ## the same

$(INSTALLED): pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("expected Python 3.11 or later, got %d.%d: say make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint $(CONSTRAINTS) --editable '.[dev,all]'
	@touch $@

mnist: $(INSTALLED) ## counterfactual training against the baseline on digits
	$(BIN)/cftrain train experiment=mnist $(ARGS)

tables: $(INSTALLED) ## tables, figures and a report of all results in outputs/
	$(BIN)/cftrain tables $(ARGS)

# The two tables with categories are evaluated by the straight-through search as well,
# and before the published search, since tables show the newest evaluation.
STRAIGHT := categories@evaluation.categories=snap

paper: $(INSTALLED) ## train and evaluate what is missing of the paper, then its tables
	$(BIN)/cftrain grid grid=ablation '+grid.axes.seed=$(SEEDS)' 'grid.axes.experiment=[adult,credit_default]' \
		$(STRAIGHT) $(ARGS) hydra.run.dir=outputs/paper/main
	$(BIN)/cftrain grid grid=mutability '+grid.axes.seed=$(SEEDS)' 'grid.axes.experiment=[adult_protected,credit_default_protected]' \
		$(STRAIGHT) $(ARGS) hydra.run.dir=outputs/paper/protected
	$(call train_paper,outputs/paper,$(SEEDS),,dedupe=false)
	$(BIN)/cftrain grid grid=draws 'grid.axes.seed=$(SEEDS)' $(ARGS) hydra.run.dir=outputs/paper/draws
	$(BIN)/cftrain grid grid=revise_vae data=linearly_separable $(ARGS) hydra.run.dir=outputs/paper/revise_vae
	$(BIN)/cftrain transfer outputs/paper/main
	$(BIN)/cftrain tables outputs/paper

paper-quick: $(INSTALLED) ## the same with one seed and fewer rounds, in minutes
	$(call train_paper,outputs/paper-quick,[2025],evaluation.rounds=10,)
	$(BIN)/cftrain tables outputs/paper-quick

# $(1) folder, $(2) training seeds, $(3) options of main results, $(4) of Table A1.
define train_paper
	$(BIN)/cftrain grid grid=ablation '+grid.axes.seed=$(2)' $(3) $(ARGS) hydra.run.dir=$(1)/main
	$(BIN)/cftrain grid grid=mutability '+grid.axes.seed=$(2)' $(3) $(ARGS) hydra.run.dir=$(1)/protected
	$(BIN)/cftrain grid grid=table_a1 data=linearly_separable $(4) $(ARGS) hydra.run.dir=$(1)/table_a1
endef

# Each method at four strengths on fresh seeds, and digits with fewer; it resumes.
methods: $(INSTALLED) ## methods beside the paper's, side by side: scoreboard and frontier
	$(BIN)/cftrain grid grid=methods $(ARGS) hydra.run.dir=outputs/methods/tables
	$(BIN)/cftrain grid grid=methods_mnist $(ARGS) hydra.run.dir=outputs/methods/mnist
	$(BIN)/cftrain transfer outputs/methods/tables
	$(BIN)/cftrain transfer outputs/methods/mnist
	$(BIN)/cftrain tables outputs/methods

post-hoc: $(INSTALLED) ## four models by five generators: a better search, or a better model
	$(BIN)/cftrain grid grid=post_hoc $(ARGS) hydra.run.dir=outputs/post_hoc
	$(BIN)/cftrain tables outputs/post_hoc table=post_hoc

smoke: $(INSTALLED) ## a tiny training and a tiny grid, from data to tables
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	(set -x; $(BIN)/cftrain $(SMOKE) hydra.run.dir="$$folder/one" && \
	$(BIN)/cftrain grid $(SMOKE_GRID) hydra.run.dir="$$folder/grid" && \
	$(BIN)/cftrain transfer "$$folder/grid" && \
	$(BIN)/cftrain tables "$$folder" > "$$folder/tables.md") && \
	tail -n 3 "$$folder/tables.md"

package: $(INSTALLED) ## build the wheel and train with it, away from this checkout
	rm -rf dist
	$(BIN)/python -m build
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(BIN)/python -m pip install --quiet --no-deps --target "$$folder/site" dist/*.whl && \
	cd "$$folder" && \
	(set -x; PYTHONPATH=site "$(CURDIR)/$(BIN)/python" -m cftrain $(SMOKE) hydra.run.dir=run)

test: $(INSTALLED) ## the tests that take seconds; ARGS="-k search" chooses
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

torture: $(INSTALLED) ## attacks, damage and bad input in numbers: most of an hour
	$(BIN)/pytest -n $(WORKERS) -m torture $(ARGS)

test-all: $(INSTALLED) ## all tests, those of torture too
	$(BIN)/pytest -n $(WORKERS) -m "" $(ARGS)

# What the site needs is installed where it is built only: it is no part of `make setup`.
docs: $(VENV)/.docs ## build the site of docs/ into site/ and check its links
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict $(ARGS)

$(VENV)/.docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[docs]'
	@touch $@

lint: $(INSTALLED) ## look for mistakes and for another format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED) ## mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(INSTALLED) ## check the types
	$(BIN)/mypy

bench-store: $(INSTALLED) ## time status, a table and planning of many cells
	$(BIN)/python scripts/bench_store.py --cells 1000 10000 $(ARGS)

bench-grid: $(INSTALLED) ## time the 270 models of a published grid
	$(BIN)/python scripts/bench_grid.py $(ARGS)

bench-explain: $(INSTALLED) ## time explanations of Adult, and memory for many rows
	$(BIN)/python scripts/bench_explain.py $(ARGS)

bench-api: $(INSTALLED) ## time searches on a plain torch network beside our own
	$(BIN)/python scripts/bench_api.py $(ARGS)

bench-generators: $(INSTALLED) ## time an answer by each generator
	$(BIN)/python scripts/bench_generators.py $(ARGS)

bench-networks: $(INSTALLED) ## time networks from elsewhere beside our own of their size
	$(BIN)/python scripts/bench_networks.py $(ARGS)

# Other libraries, with pins of their own, in an environment of their own.
PEERS := .venv-peers

$(PEERS)/.installed: pyproject.toml $(CONSTRAINTS) constraints-peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --constraint $(CONSTRAINTS) \
		--constraint constraints-peers.txt --editable . dice-ml foolbox mlxtend
	@touch $@

bench-peers: $(PEERS)/.installed ## our search beside DiCE, foolbox and mlxtend on one network
	$(PEERS)/bin/python scripts/bench_peers.py $(ARGS)

bench-scale: $(INSTALLED) ## how cost and memory grow, with slopes: outputs/scale.png
	$(BIN)/python scripts/bench_scale.py $(ARGS)

bench: $(INSTALLED) ## measure search and training
	$(BIN)/python scripts/bench_search.py
	$(BIN)/python scripts/bench_training.py
	$(BIN)/python scripts/bench_cells.py
	$(BIN)/python scripts/bench_roads.py

clean: ## remove what was built or cached, but neither .venv nor outputs
	rm -rf build dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path './.venv*' -prune -o -name __pycache__ -prune -exec rm -rf {} +
