# The two commands of the README are `make run` and `make test`. Each sets up what it needs, and is quick the second time.
.PHONY: help run test setup ext web check check-c docs fuzz lock wheel

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: ## Set up, serve, and open a demo meeting
	@scripts/setup run
	@.venv/bin/mcu demo

test: ## Set up, and run every check and every test
	@scripts/setup
	@scripts/test

setup: ## Only set up
	@scripts/setup

ext: ## Build the C extension in the tree
	@scripts/setup ext

web: ## Build the web client into mcu/web
	@scripts/setup web

check: ## Format, lint, types, contracts, C under sanitizers, unit tests
	@scripts/check

check-c: ## The C tests, under ASan and UBSan
	@scripts/check c

fuzz: ## Each fuzz target for 60 s
	@scripts/fuzz 60

docs: ## Write the generated pages of docs/ again
	@.venv/bin/python scripts/docs.py

lock: ## Resolve the Python packages again
	@scripts/lock

wheel: ## Build the wheel into dist/
	@scripts/setup web
	@.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
