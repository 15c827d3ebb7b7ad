# Everything that people and CI run. `make help` lists it. Nothing is needed beyond Python 3.11 or later, git and make;
# tools of which only a part of the tests makes use are named when they are absent.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
BUILD := build
WORKERS ?= auto
DEMO := fixtures/repositories/demo
SOURCES := analyzer rules tests

.PHONY: help demo test checks lint types layers docs pytest packages accuracy bench clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

# ---- installation: one stamp for the program, one for the tools of its developers ----------------------------------

$(VENV)/bin/python:
	@for python in "$${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do \
	  if [ -n "$$python" ] && "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Creating $(VENV) with $$("$$python" --version)"; \
	    "$$python" -m venv $(VENV); exit 0; \
	  fi; \
	done; \
	echo "make: Python 3.11 or later was not found; install it, or name it: make PYTHON=/path/to/python" >&2; exit 1

$(VENV)/.program: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing taskgates into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.tools: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing taskgates and its developers' tools into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[test,docs]'
	@touch $@ $(VENV)/.program

# ---- what users try ------------------------------------------------------------------------------------------------

demo: $(VENV)/.program ## scan the demonstration repository; SARIF and a page come to build/
	@mkdir -p $(BUILD)
	$(BIN)/taskgates scan $(DEMO) --fail-on never --output sarif:$(BUILD)/demo.sarif --output html:$(BUILD)/demo.html
	@echo
	@echo "For code scanning: $(BUILD)/demo.sarif    For a browser: $(BUILD)/demo.html"

# ---- what developers and CI run ------------------------------------------------------------------------------------

test: checks pytest ## every check and every test, as CI runs them

checks: lint types layers docs ## style, types, layers and documentation, without the tests

lint: $(VENV)/.tools ## ruff's rules and its format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tools ## mypy, strictly
	$(BIN)/mypy

layers: $(VENV)/.tools ## imports run downward only
	$(BIN)/lint-imports

docs: $(VENV)/.tools ## the manual, into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(BUILD)/site

pytest: packages $(VENV)/.tools ## the tests alone; WORKERS=0 runs them in one process
	$(BIN)/pytest --verbose -n $(WORKERS) --dist worksteal

packages: ## name the system packages that a part of the tests needs and that are absent
	@command -v git >/dev/null || { echo "make: git is needed (Debian and Ubuntu: apt-get install git)" >&2; exit 1; }
	@command -v strace >/dev/null || echo "note: strace is absent, so tests that trace programs are skipped" \
	  "(Debian and Ubuntu: apt-get install strace)" >&2
	@command -v npm >/dev/null || echo "note: npm is absent, so the SARIF validator is not asked" \
	  "(Debian and Ubuntu: apt-get install npm)" >&2

accuracy: $(VENV)/.tools ## trace every fixture program again, and print recall and precision (also for the manual)
	@command -v strace >/dev/null || { echo "make: strace is needed (Debian and Ubuntu: apt-get install strace)" >&2; exit 1; }
	PYTHONPATH=tests $(BIN)/python -m accuracy record
	@mkdir -p $(BUILD)
	PYTHONPATH=tests $(BIN)/python -m accuracy table --markdown > $(BUILD)/accuracy.md
	@mv $(BUILD)/accuracy.md docs/accuracy-table.md
	@cat docs/accuracy-table.md

bench: $(VENV)/.tools ## the benchmarks; then time, peak memory and growth at 100, 1,000 and 10,000 tasks
	$(BIN)/pytest tests/benchmarks --benchmark-only --benchmark-disable-gc
	@echo; echo "The gates alone, in memory:"
	@$(BIN)/python tests/benchmarks/test_bench_gates.py
	@echo; echo "A repository of task files, from the disk:"
	@$(BIN)/python tests/benchmarks/test_bench_interface.py

clean: ## remove what the other targets made, but not the virtual environment
	rm -rf $(BUILD) dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .benchmarks .hypothesis
	find $(SOURCES) fixtures -name __pycache__ -type d -prune -exec rm -rf {} +
	find fixtures -name .taskgates -type d -prune -exec rm -rf {} +

distclean: clean ## remove the virtual environment too
	rm -rf $(VENV)
