# Both targets set up what they need, in .venv, from a clean clone.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: example test lint

example: .venv/run ## lint the example with its faults planted
	@$(BIN)/ingress-lint examples/shop-broken || test $$? -eq 1

test: .venv/dev ## run the tests
	$(BIN)/pytest -n auto

lint: .venv/dev ## what CI checks besides the tests
	$(BIN)/ruff format --check linter rules tests bench
	$(BIN)/ruff check linter rules tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/run: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/dev: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@ .venv/run
