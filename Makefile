# Two commands do it all on a fresh machine with Python 3.11: `make run` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

.DEFAULT_GOAL := help
.PHONY: help setup run test dev lint lock bench clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

setup: $(VENV)/ready ## Install the locked dependencies into .venv

$(VENV)/ready: requirements.lock pyproject.toml clients/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Tributary needs Python 3.11 or later: make setup PYTHON=/path/to/python3.11"; exit 1)
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "installing locked dependencies into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps --no-build-isolation -e . -e clients/python
	@touch $@

run: setup ## Simulate a quarter of marketing, build everything, show what came out
	@$(BIN)/tributary simulate
	@$(BIN)/tributary run

test: setup lint ## Run every test
	@tests/packages
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

dev: setup ## Start the collector (port 8700) and Dagster's UI with the whole graph (port 3000)
	@$(BIN)/tributary dev

lint: setup ## Check style, format and the direction of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/lint-imports --no-cache --no-logo

lock: setup ## Resolve the dependencies again: every platform and Python, with hashes, without addresses
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --all-extras --python-version 3.11 pyproject.toml -o requirements.lock

bench: setup ## Measure collector, pipeline and spend on this machine, beside plain files and plain SQL
	@$(BIN)/python bench/collector.py
	@$(BIN)/python bench/pipeline.py
	@$(BIN)/python bench/spend.py

clean: ## Remove what setup and dbt made (the home folder stays)
	rm -rf $(VENV) dbt_project/target *.egg-info
