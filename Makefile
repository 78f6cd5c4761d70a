# `make run` opens the page, `make test` checks everything; each first installs what it needs.

VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run check test static

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/installed ## Open the page; ARGS="--port 8000" passes settings on
	$(BIN)/python -m app $(ARGS)

check: static ## Check format, style, types and imports, and run the fast tests
	$(BIN)/python -m pytest -m "not slow"

test: static ## Check all of that and run every test, the slow ones in a browser too
	$(BIN)/python tests/browser/chromium.py
	@npm ci --silent --prefix tests/browser || echo "npm is not there: the accessibility tests are skipped."
	$(BIN)/python -m pytest

static: $(VENV)/installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# A Python on the PATH may be too old, a stub that runs nothing, or without its venv module.
$(BIN)/pip:
	@for python in python3.13 python3.12 python3.11 python3; do \
	    if $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then exec $$python -m venv $(VENV); fi; \
	done; \
	echo 'Python 3.11 or newer with its venv module is needed, and none is on the PATH' \
	    '(on Debian: apt-get install python3-venv).' >&2; exit 1

# The stamps are younger than the requirements they were installed from.
$(VENV)/installed: requirements.txt | $(BIN)/pip
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
