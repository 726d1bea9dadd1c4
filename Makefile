# Headroom. `make help` lists what there is. Needs make and a Python of at least 3.11; everything else is fetched.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; exit; }; done; echo python3)
BIN := .venv/bin
INFRA := .venv-infra/bin
STAGE ?= dev
GROUPS := api files geo mail reports solver local dev infra rehearsal
PORT ?= 8000
DATA ?=
CRASHES ?= 200
ARGS ?=

.DEFAULT_GOAL := help
TARGETS_OF_INFRA := setup-infra setup-rehearsal synth deploy deploy-local cost test-infrastructure
.PHONY: $(TARGETS_OF_INFRA) help setup setup-dev run stop demo test crash-test check audit format types imports openapi bench locks clean reset invoke

help:           ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:          ## install what running needs
	@$(PYTHON) -m local.install local

setup-dev:      ## install what testing needs
	@$(PYTHON) -m local.install dev

run: setup      ## start the whole market at http://127.0.0.1:8000 (PORT=…, ARGS="--no-seed")
	@exec $(BIN)/python -m local --port $(PORT) $(ARGS)

stop: setup     ## stop the market that runs here
	@$(BIN)/python -m local --stop $(ARGS)

demo: setup     ## one competition from file to obligations; DATA=../shared/data takes real input
	@exec $(BIN)/python -m local.demo $(if $(DATA),--data $(DATA)) $(ARGS)

# Tests start dozens of processes, so what they import is kept compiled. A worker that dies or hangs is a failure that
# names its test, and the others go on.
test: setup-dev ## every test, and the proof that rules and lifecycles are tested to the last branch
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n auto --dist loadfile \
		--no-loadscope-reorder --max-worker-restart=0 --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report --include='*/rules*.py,*/lifecycle.py' --skip-covered --fail-under=100

crash-test: setup-dev ## kill the market CRASHES=200 times at random points of the demo, and compare its ends
	@$(BIN)/python -m tests.crash_test --crashes $(CRASHES) $(ARGS)

check: setup-dev ## lint, format, types, imports, security, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory audit
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-infrastructure

# What never leaves a laptop or a pipeline starts processes and reads addresses it made itself (B404, B603, B310), plays
# with seeded chance (B311), and has passwords and an account that are printed at the start (B105).
audit: setup-dev ## known faults in how our code is written and in what it depends on
	$(BIN)/bandit -q -c pyproject.toml -r chalicelib functions app.py
	$(BIN)/bandit -q -c pyproject.toml -r local infrastructure -s B105,B310,B311,B404,B603
	@$(BIN)/python -m local.dependencies

format: setup-dev ## put every file in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

invoke: setup   ## one function woken by a sample: FUNCTION=tick EVENT=events/aws/schedule.json
	@$(BIN)/python -m local.invoke $(FUNCTION) $(EVENT) $(ARGS)

openapi: setup-dev ## write the API's description, docs/openapi.json, anew
	@$(BIN)/python -m local.openapi

bench: setup-dev ## every benchmark beside its peer
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

setup-infra:    ## install what deploying needs, beside the rest (node too, which is not fetched)
	@HEADROOM_VENV=.venv-infra $(PYTHON) -m local.install infra

setup-rehearsal: ## the same and what moves the clock of a rehearsal
	@HEADROOM_VENV=.venv-infra $(PYTHON) -m local.install rehearsal

synth: setup-infra ## write CloudFormation for STAGE=dev or prod; needs node, no AWS account
	@$(INFRA)/python -m infrastructure.app $(STAGE)
	@$(INFRA)/python -m infrastructure.lint $(STAGE)

deploy: setup-infra ## put STAGE=dev or prod on AWS, with your AWS credentials
	@$(INFRA)/python -m infrastructure.deploy $(STAGE)

deploy-local: setup-rehearsal ## the same stacks on the embedded AWS, and the demo on them
	@$(INFRA)/python -m infrastructure.rehearsal $(ARGS)

cost: setup-infra ## what STAGE costs a month, from its templates and list prices
	@$(INFRA)/python -m infrastructure.cost $(STAGE) $(ARGS)

test-infrastructure: setup-rehearsal ## the tests of the stacks
	@$(INFRA)/python -m pytest tests/infrastructure $(ARGS)

locks:          ## pin every group of pyproject.toml anew
	@command -v uv >/dev/null || { echo "make locks needs uv: pip install uv"; exit 1; }
	@set -e; pin() { env -u PIP_FIND_LINKS -u UV_FIND_LINKS uv pip compile --quiet --universal --generate-hashes \
		--python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$$@"; }; \
	echo dev; pin --upgrade --group dev -o requirements/dev.txt; \
	for group in $(filter-out dev,$(GROUPS)); do \
		echo $$group; pin --upgrade --constraint requirements/dev.txt --group $$group -o requirements/$$group.txt; done

clean:          ## remove what was installed and made, but never the market's state
	rm -rf .venv .venv-infra build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov demo-out bench-out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

reset:          ## throw the local market's state away
	rm -rf .local
