# Two commands are enough on a fresh machine with Python 3.11: `make run` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore
# Images of Python set it. Then every command would compile the program again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test dev docs lint lock wheels bench clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

setup: $(VENV)/ready ## Install the locked dependencies into .venv

$(VENV)/ready: requirements.lock pyproject.toml clients/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Tributary needs Python 3.11 or later. Use make setup PYTHON=/path/to/python3.11"; exit 1)
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV)"
	@$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps --no-build-isolation -e . -e clients/python
	@touch $@

run: setup ## Simulate three months of marketing, build the marts and show a summary
	@$(BIN)/tributary simulate
	@$(BIN)/tributary run

test: setup lint ## Run all tests
	@tests/packages
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=20

dev: setup ## Start the collector (port 8700), the dashboard (port 8600) and Dagster's UI (port 3000)
	@$(BIN)/tributary dev

docs: setup ## Build the documentation and dbt's reference, and serve both on port 8800
	@$(BIN)/python docs/build_site.py

lint: setup ## Check style, format and imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/lint-imports --no-cache --no-logo

lock: setup ## Update requirements.lock from pyproject.toml; LOCK=--upgrade takes the newest versions
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --all-extras --python-version 3.11 $(LOCK) pyproject.toml -o requirements.lock

wheels: setup ## Build the wheels of Tributary and of its Python client into dist/
	@rm -rf build clients/python/build
	@$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist .
	@$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist clients/python

bench: setup ## Measure collector, pipeline, attribution, spend, imports and serving on this machine, beside simpler ways and other libraries
	@$(BIN)/python bench/collector.py
	@$(BIN)/python bench/pipeline.py
	@$(BIN)/python bench/heuristic_models.py
	@$(BIN)/python bench/markov.py
	@$(BIN)/python bench/spend.py
	@$(BIN)/python bench/imports.py
	@$(BIN)/python bench/serve.py

clean: ## Delete the files of setup, wheels and dbt, but not the home folder
	rm -rf $(VENV) build dist clients/python/build dbt_project/target *.egg-info clients/python/*.egg-info
