# `make run` opens the page, `make test` checks everything; each first installs what it needs.

VENV := .venv
BIN := $(VENV)/bin

TOOLS := .venv-tools
# As many processes as cores, with one thread each.
TESTS := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: help run check test static types viewer gpu mutants soak space lock sbom

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/installed ## Open the page; ARGS="--port 8000" passes settings on
	$(BIN)/python -m app $(ARGS)

check: static ## Check format, style, types and imports, and run the fast tests
	$(TESTS) -m "not slow"

test: static ## Check all of that and run every test, the slow ones in a browser too
	$(BIN)/python -m app.chromium
	$(TESTS)

mutants: $(VENV)/installed-dev ## Put deliberate faults into a copy, one by one: the tests must find each
	$(BIN)/python -m tests.mutants $(ARGS)

gpu: $(VENV)/installed-dev ## On a machine with a GPU: test the kernels there and measure them
	$(BIN)/python -m pytest tests/attention/test_gpu.py tests/attention/test_operator.py
	$(BIN)/python -m asa_viz.bench --device cuda --only forward training encode

soak: $(VENV)/installed-dev ## Load the page as a class and a crowd do, print the figures; ARGS=--short takes minutes
	$(BIN)/python -m tests.soak $(ARGS)
	ASA_OFFLINE_MS=20000 $(BIN)/python -m pytest -q tests/browser/test_nothing_lost.py

space: $(VENV)/installed ## Upload the page to a Hugging Face Space: make space SPACE=owner/name ARGS=--dry-run
	$(BIN)/python -m app.to_space $(SPACE) $(ARGS)

lock: $(TOOLS)/installed ## Write requirements.lock: exact versions with digests, all but torch
	$(TOOLS)/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-annotate --no-header \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    --output-file build/all.lock requirements.txt
# torch comes from an index of its own, one for each kind of machine, and brings its CUDA along or not.
	awk '/^[a-z]/ { skip = /^(torch|triton|nvidia-|cuda-)/ } /^#/ || !NF { next } !skip' build/all.lock > requirements.lock

sbom: $(TOOLS)/installed $(VENV)/installed ## Write build/sbom.json (CycloneDX) and build/licences.md of what the page needs
	{ cat requirements.lock; grep '^torch==' requirements.txt; } > build/shipped.txt
	$(TOOLS)/bin/cyclonedx-py requirements --output-reproducible --output-file build/sbom.json build/shipped.txt
	$(TOOLS)/bin/pip-licenses --python=$(BIN)/python --format=markdown --with-urls --output-file=build/licences.md \
	    --packages $$(sed -n 's/^\([a-z][^=]*\)==.*/\1/p' requirements.lock) torch

static: $(VENV)/installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory types; \
	    else echo "npm is not there: the viewer's sources are not checked, nor is accessibility."; fi

viewer: node_modules/installed ## Build the viewer of its sources
	npm run --silent build

types: node_modules/installed
	npm run --silent check

node_modules/installed: package.json package-lock.json
	npm ci --silent
	@touch $@

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

$(TOOLS)/installed: requirements-tools.txt
	python3 -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet -r requirements-tools.txt
	@mkdir -p build
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
