# `make run` and `make test` are the two commands; everything else serves them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# The processes in which the tests run; 0: in one, as plain `pytest` does.
WORKERS ?= auto

.PHONY: run test check bench lock clean format reference editor-server

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: $(VENV)/.installed
	@$(BIN)/insideline run --sample $(ARGS)

test: $(VENV)/.installed
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: $(VENV)/.installed
	$(BIN)/ruff format --check engine plugins tests bench
	$(BIN)/ruff check engine plugins tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed
	$(BIN)/python -m bench $(ARGS)

format: $(VENV)/.installed
	$(BIN)/ruff format engine plugins tests bench
	$(BIN)/ruff check --fix engine plugins tests bench

# The reference of the steps, written anew from what they say of themselves (a test holds it against them).
reference: $(VENV)/.installed
	@$(BIN)/python -c "from pathlib import Path; from engine.flows.reference import write_reference; \
	  from engine.flows.steps import STEPS; write_reference(Path('docs/reference/steps'), STEPS)"

# The YAML language server of editors, for the tests of the schemas (needs npm; pytest finds it there).
editor-server:
	npm install --silent --no-audit --no-fund --prefix var/editor-server yaml-language-server@1.25.0

# Writes the lock anew from pyproject.toml (needs uv, used for nothing else).
lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra dev pyproject.toml requirements-build.in -o requirements.lock

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis
