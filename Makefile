# Everything a developer runs. `make` lists it.
.DEFAULT_GOAL := help
RUN := uv run --frozen
# The same dice each time, so that what a check finds is the doing of a change. `CAMPAIGN=kills` throws them anew.
CAMPAIGN = --seed 1

.PHONY: help
help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: check
check: format lint types contract test coverage bench-tiny campaigns audit ## everything that CI runs

.PHONY: format
format: ## is the code formatted?
	$(RUN) ruff format --check .

.PHONY: lint
lint: ## ruff, with the rules of pyproject.toml
	$(RUN) ruff check .

.PHONY: types
types: ## mypy, strict
	$(RUN) mypy

.PHONY: contract
contract: ## do imports go down only?
	$(RUN) lint-imports

.PHONY: migrations
migrations: ## do models and migrations agree?
	$(RUN) pytest -q tests/test_repository.py

.PHONY: test
test: ## the README's test command
	$(RUN) pytest

.PHONY: coverage
coverage: ## are 95 % of the pure core's branches run by the tests that need no server?
	$(RUN) python -m tests.core_coverage

.PHONY: audit
audit: ## known faults of what uv.lock holds; says so where api.osv.dev cannot be reached
	@UV_HTTP_RETRIES=0 uv audit --frozen --preview-features audit-command; code=$$?; \
	if [ $$code -eq 2 ]; then echo "not audited: see above; it takes a uv that can audit, and api.osv.dev"; else exit $$code; fi

.PHONY: quick
quick: ## what needs no server, and what your changes touch
	$(RUN) pytest -q --quick

.PHONY: demo
demo: ## a full cycle, offline
	$(RUN) lootwire demo

.PHONY: migrate
migrate: ## bring the database of the settings up to date
	$(RUN) lootwire status

.PHONY: bench
bench: ## speed, as ratios side by side: one table of all (BENCH=replay for one)
	$(RUN) python -m bench $(BENCH)

.PHONY: bench-tiny
bench-tiny: ## do all benches work? seconds each, no speed is judged
	$(RUN) python -m bench --tiny $(BENCH)

.PHONY: campaigns
campaigns: ## do the promises hold under trouble? short forms (CAMPAIGN="kills --full" for one, whole)
	$(RUN) python -m tests.campaigns $(CAMPAIGN)

.PHONY: tidy
tidy: ## format and fix what can be fixed
	$(RUN) ruff format .
	$(RUN) ruff check --fix .
