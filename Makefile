# The desk's commands. `make help` lists them. Everything is installed below this folder; nothing needs root except
# the browser of the browser tests, which comes from the system's packages.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
UV := .tools/uv
PY := .venv/bin/python
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy
# The one package of Rasa's that comes as source only: as plain Python it needs no compiler.
export MULTIDICT_NO_EXTENSIONS := 1
# A model is the same for the same sources, so checkouts of one user need not train it each for itself.
export DESK_MODEL_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/borrower-desk/models

# Tests run side by side, each worker with databases and processes of its own. Every worker of the last step runs a whole
# desk, about 2 GB. PYTHONHASHSEED: the workers must find the same tests in the same order.
TEST_WORKERS ?= $(shell n=$$(nproc); echo $$((n < 4 ? n : 4)))
SIDE_BY_SIDE := PYTHONHASHSEED=0 $(PY) -m pytest -q -n $(TEST_WORKERS) --dist worksteal

WIDGET_SOURCES := $(shell find widget/src widget/build.mjs widget/package.json widget/tsconfig.json -type f 2>/dev/null)

.PHONY: help run setup train test lint types contracts data-check widget-test unit running lock clean chromium bench simulate chaos nlu-report

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | sort | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

run: setup ## set everything up and start the desk; Ctrl-C stops it
	@exec .venv/bin/bot up

setup: .venv/.ready rasa-runtime/.venv/.ready widget/dist/.ready ## both environments and the chat page

train: setup ## train the model if what it is made from has changed
	@.venv/bin/bot train

# The model is trained and measured by one process, so the tests that need none run beside it.
test: setup lint types contracts widget-test ## everything that must hold before a change lands
	@$(MAKE) -j2 data-check unit
	@$(MAKE) running
	@if [ -z "$${DESK_SKIP_BROWSER:-}" ] && command -v $${CHROMIUM:-chromium} >/dev/null; then echo "· all checks passed"; \
	  else echo "· all checks passed but those in a browser, which were left out"; fi

lint: .venv/.ready ## style and format
	@echo "· lint"
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: .venv/.ready ## strict types
	@echo "· types"
	@.venv/bin/mypy

contracts: .venv/.ready ## who may import whom
	@echo "· import contracts"
	@PYTHONPATH=. .venv/bin/lint-imports --no-logo 2>/dev/null || PYTHONPATH=. .venv/bin/lint-imports

data-check: setup ## training data, domain and rules
	@echo "· training data"
	@$(PY) -m pytest -q tests/nlu

widget-test: widget/dist/.ready ## the chat page's own tests
	@echo "· chat page"
	@cd widget && export PATH="$(CURDIR)/.venv/bin:$$PATH" && npm run --silent types && npm test --silent

unit: .venv/.ready ## every test that needs neither a model nor the running desk
	@echo "· unit, property, proof, simulation, integration, contract"
	@$(SIDE_BY_SIDE) tests --ignore tests/nlu --ignore tests/dialogue --ignore tests/e2e

running: setup chromium ## whole conversations and browser tests on the running desk
	@.venv/bin/bot train --no-report >/dev/null
	@echo "· running desk: conversations and browser"
	@$(SIDE_BY_SIDE) tests/dialogue tests/e2e

bench: setup train ## measure turn latency; figures belong in docs/performance.md
	@$(PY) bench/turn_latency.py

simulate: .venv/.ready ## live through many borrowers on a moved clock: PEOPLE, DAYS, SEED, REPLAY; figures belong in docs/performance.md
	@$(PY) bench/simulate.py --people $(or $(PEOPLE),200) --days $(or $(DAYS),30) --seed $(or $(SEED),1) --replay $(or $(REPLAY),1)

chaos: setup train ## let everything go wrong around two of everything: CHAOS_SECONDS, CHAOS_CHATS, CHAOS_SEED; see docs/operations.md
	@$(PY) -m tests.chaos

nlu-report: setup train ## measure how messages are read; the report goes to var/nlu-report
	@.venv/bin/bot nlu-report

chromium:
	@command -v $${CHROMIUM:-chromium} >/dev/null || [ -n "$${DESK_SKIP_BROWSER:-}" ] || { \
	  echo "· installing Chromium for the browser tests"; \
	  SUDO=; [ "$$(id -u)" = 0 ] || SUDO="sudo -n"; \
	  { $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; } || { \
	    echo "· Chromium is missing and could not be installed: install the package 'chromium'."; \
	    [ -z "$${CI:-}" ] || exit 1; \
	    echo "· The browser tests are left out."; }; }

lock: .tools/uv ## resolve both environments anew
	@for project in . rasa-runtime; do \
	  (cd $$project && $(CURDIR)/$(UV) lock --quiet --upgrade && $(CURDIR)/$(UV) export --quiet --format requirements-txt \
	    --no-header --no-emit-project --output-file requirements.lock >/dev/null); done

clean: ## remove environments, models and everything the desk made
	rm -rf .venv .tools rasa-runtime/.venv widget/node_modules widget/dist models var .rasa

.tools/uv:
	@mkdir -p .tools
	@command -v uv >/dev/null || { \
	  echo "· installing uv into .tools"; \
	  python3 -m venv .tools/python && .tools/python/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@ln -sf "$$(command -v uv || echo "$(CURDIR)/.tools/python/bin/uv")" $@

.venv/.ready: requirements.lock pyproject.toml | .tools/uv
	@echo "· environment of the desk (.venv)"
	@[ -x $(PY) ] || $(UV) venv --quiet --python 3.11 .venv
	@$(UV) pip sync --quiet --require-hashes --python $(PY) requirements.lock
	@$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

rasa-runtime/.venv/.ready: rasa-runtime/requirements.lock | .tools/uv
	@echo "· environment of Rasa (rasa-runtime/.venv, 1.6 GB; the first time takes a few minutes)"
	@[ -x rasa-runtime/.venv/bin/python ] || $(UV) venv --quiet --python 3.11 rasa-runtime/.venv
	@$(UV) pip sync --quiet --require-hashes --python rasa-runtime/.venv/bin/python rasa-runtime/requirements.lock
	@touch $@

widget/dist/.ready: $(WIDGET_SOURCES) widget/package-lock.json .venv/.ready
	@echo "· chat page"
	@cd widget && export PATH="$(CURDIR)/.venv/bin:$$PATH" && npm ci --silent --no-audit --no-fund && npm run --silent build
	@touch $@
