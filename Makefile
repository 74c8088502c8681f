# `make help` says what there is. Everything runs from .venv, which .ci/venv sets up and keeps whole.
# Needed beforehand: make, bash, Python 3.11 or newer with venv, and a package registry for Python.
#   ARGS="..."       passed on to the command behind the target
#   PYTHON=...       the interpreter for .venv, if not the first fitting one on the path

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help release serve up test test-fast lint bench lock clean venv

PYTHON ?=
ARGS ?=
UPGRADE ?=

PROCESSORS := $(shell getconf _NPROCESSORS_ONLN)
# Two processes more than processors: many of the slow tests wait for a server, a browser or a worker.
WORKERS ?= $(shell echo $$(( $(PROCESSORS) + 2 )))

export PYTHON
# No telemetry, and Prefect's throw-away server may take longer than its own 20 s to start.
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS := 180

help: ## List the targets
	@awk -F ' *## *' '/^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  ARGS="..." goes to the command behind the target; PYTHON=python3.13 chooses the interpreter.'
	@echo '  Every target that needs .venv makes or mends it first.'

release: venv ## Build a release in outputs/ (praevkarte release $ARGS)
	@.venv/bin/praevkarte release $(ARGS)

serve: venv ## Serve the finished release on this machine (praevkarte serve $ARGS)
	@.venv/bin/praevkarte serve $(ARGS)

up: venv ## Start Prefect's server and a worker on this machine for a try (PORT=4200)
	@.ci/up

test: venv ## Install what the tests need, then lint, then every test but the race (pytest $ARGS)
	@left_out=$$(.ci/setup-tests) && \
	$(MAKE) --no-print-directory lint && \
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile -rs -m "not race$${left_out:+ and $$left_out}" $(ARGS)

test-fast: venv ## The tests not marked slow, without lint (pytest -m "not slow" $ARGS)
	@.venv/bin/python -m pytest -n $(PROCESSORS) --dist loadfile -m "not slow" $(ARGS)

lint: venv ## Style and likely bugs (ruff), types of flows (mypy --strict)
	@.venv/bin/ruff check .
	@.venv/bin/mypy

bench: venv ## Race against other tools, write benchmarks/results.md (ARGS=--quick, --sizes 108000)
	@.venv/bin/python -m pytest -m race tests/test_bench.py && .venv/bin/python benchmarks/run.py $(ARGS)

lock: ## Write requirements.lock anew from pyproject.toml; UPGRADE=1 takes newer versions
	@set -euo pipefail; new=$$(mktemp); trap 'rm -f "$$new" "$$new.body"' EXIT; \
	if [[ -z "$(UPGRADE)" && -f requirements.lock ]]; then \
		sed -n 's/^\([a-z0-9][^ ]*==[^\\]*\).*/\1/p' requirements.lock >"$$new.body"; fi; \
	.ci/venv uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra dev \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file "$$new.body"; \
	{ echo '# Every package of .venv, runtime and tests, for every platform and Python from 3.11, with hashes.'; \
	  echo '# Not edited by hand: `make lock` writes it from pyproject.toml (uv pip compile), keeping versions'; \
	  echo '# that still fit; `make lock UPGRADE=1` takes the newest ones. `.ci/venv` installs exactly this.'; \
	  cat "$$new.body"; } >"$$new"; \
	if grep -nE '://|^ *(--?(extra-)?index|--?find-links|-f |-i )|@ *(file|\.|/)' "$$new"; then \
		echo 'requirements.lock would name an index or a local path, see above; left as it was.' >&2; exit 1; fi; \
	cat "$$new" >requirements.lock
	@.ci/venv

clean: ## Remove .venv, caches and build leftovers; outputs/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -not -path './outputs/*' -not -path './.git/*' -prune -exec rm -rf {} +
	@echo 'outputs/ was left alone.'

venv:
	@.ci/venv
