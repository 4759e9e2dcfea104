# Every command a person or CI runs. Needs Python 3.11+, make and the package registries; brings the rest.
PYTHON ?= python3
BIN := .venv/bin
SYNCED := .venv/.synced
export UV_PYTHON_DOWNLOADS := never
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.PHONY: help setup demo test check unit contract infra integration e2e up down status synth contracts lock bench clean

help: ## List the commands
	@grep -E '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):[^#]*## (.*)/  make \1|\2/' | column -t -s '|'

setup: $(SYNCED) ## Install everything into .venv, from the lock

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Millrace needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==0.13.8

$(SYNCED): .tools/bin/uv pyproject.toml uv.lock
	@.tools/bin/uv sync --quiet --frozen --all-extras --compile-bytecode --python $(PYTHON)
	@touch $@

demo: setup ## Start the platform, drop a real dataset, end with three judged model versions
	@$(BIN)/millrace demo

up: setup ## Start the local platform, with the state it had
	@$(BIN)/millrace up

down: setup ## Stop the local platform; its state stays in .millrace/
	@$(BIN)/millrace down

status: setup ## What runs, where, since when
	@$(BIN)/millrace status

test: check unit contract infra integration e2e ## Everything CI runs

check: setup ## Lint, format, types, layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache > .lint-imports.log || (cat .lint-imports.log 2>/dev/null; exit 1)

unit: setup ## Rules, arithmetic, use cases: no sockets
	@$(BIN)/pytest tests/unit

contract: setup ## The same tests on every fake and its real adapter
	@$(BIN)/pytest tests/contract

infra: setup ## Templates, and the joints between templates and code
	@$(BIN)/pytest tests/architecture tests/infra

integration: setup ## The local platform, part by part
	@$(BIN)/pytest tests/integration

e2e: setup ## A file in a bucket to judged models, on the deployed templates
	@$(BIN)/pytest tests/e2e

synth: setup ## Write the templates of every environment to cdk.out
	@$(BIN)/python app.py

contracts: setup ## Write contracts/openapi.json and the table of roles from the routes
	@$(BIN)/python -m scripts.write_contracts

lock: .tools/bin/uv ## Renew uv.lock and the requirements.txt exported from it
	@.tools/bin/uv lock
	@.tools/bin/uv export --quiet --frozen --all-extras --no-hashes --no-emit-project --no-annotate --no-header -o requirements.txt

bench: setup ## Measure what the issues name figures for; results in benchmarks/results
	@for b in platform_up drop_to_registered preparation predict_latency drift_calibration drift_cost; do echo "== $$b"; $(BIN)/python -m benchmarks.$$b || exit 1; done

clean: ## Remove everything that setup and runs have made
	@rm -rf .venv .tools .millrace cdk.out build .lint-imports.log
