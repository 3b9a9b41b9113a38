# Everything starts here: `make check` validates the page store, `make test` tests all of it.
# The first run sets up .venv; a change of pyproject.toml sets it up again.

PYTHON ?= $(shell for python in python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
CHROMIUM ?= chromium
ROOTS := spec model impl conformance
TOO_OLD := tmem needs Python 3.11 or newer: install it, or name one, as in: make check PYTHON=/path/to/python3.11
NO_VENV := this Python cannot make a virtual environment: install its venv module (Debian: python3-venv)

.PHONY: check test test-long prove prove-tla prove-impl compiled docs docs-pdf bench lint clean
.PHONY: races calibrate gains mutants endurance schedules history history-agreement matrix bench-compiled bench-wire
.DEFAULT_GOAL := check
.NOTPARALLEL:

check: .venv/.installed
	$(BIN)/tmem check

test: .venv/.installed-dev
	-$(BIN)/python -m tmem.impl.build
	$(BIN)/python -m pytest -n 2 $(ARGS)

test-long: .venv/.installed-dev
	-$(BIN)/python -m tmem.impl.build
	$(BIN)/python -m pytest -n 2 -m long tests $(ARGS)

prove: .venv/.installed-dev
	$(BIN)/python -m proofs
	$(BIN)/python -m proofs.small_world

prove-tla: .venv/.installed-dev
	$(BIN)/python -m proofs.tla

prove-impl: .venv/.installed-dev
	$(BIN)/python -m proofs.impl $(ARGS)

compiled: .venv/.installed-compiled
	$(BIN)/python -m tmem.impl.build

docs: .venv/.installed-docs
	$(BIN)/python -m tools.site
	$(BIN)/sphinx-build -q -W --keep-going -j 2 -c tools/site build/site build/docs
	$(BIN)/python -m tools.site.links
	@echo "open build/docs/index.html"

bench: .venv/.installed-bench
	-$(BIN)/python -m tmem.impl.build
	$(BIN)/python -m bench $(ARGS)

# What takes longer, with its results recorded in docs/results.

races: .venv/.installed-dev
	$(BIN)/python -m tools.races.record

calibrate: .venv/.installed-dev
	$(BIN)/tmem calibrate --canaries conformance/tmem/conformance/faults/worst.json

gains: .venv/.installed-dev
	$(BIN)/tmem calibrate --gains 10

mutants: .venv/.installed-dev
	$(BIN)/python -m tools.mutants

endurance: .venv/.installed-dev
	$(BIN)/python -m tools.endurance

matrix: .venv/.installed-dev
	$(BIN)/python -m tools.matrix $(ARGS)

bench-compiled: .venv/.installed-dev
	$(BIN)/python -m bench.compiled

bench-wire: .venv/.installed-dev
	$(BIN)/python -m bench.wire

schedules: .venv/.installed-schedules
	$(BIN)/python -m bench.schedules --into docs/schedules.md

history: .venv/.installed-dev
	$(BIN)/python -m bench.history

history-agreement: .venv/.installed-dev
	$(BIN)/python -m bench.history_agreement
	$(BIN)/python -m bench.history --redraw

lint: .venv/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict $(ROOTS) proofs bench tools
	$(BIN)/lint-imports

clean:
	rm -rf .venv

.venv/.installed: pyproject.toml | .venv/bin/python
	@echo "installing tmem into .venv ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

.venv/.installed-dev: pyproject.toml | .venv/bin/python
	@echo "installing tmem and its development tools into .venv ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch .venv/.installed $@

.venv/.installed-compiled: pyproject.toml | .venv/bin/python
	@echo "installing tmem and what compiles it into .venv ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[compiled]'
	@touch .venv/.installed $@

.venv/.installed-schedules: pyproject.toml | .venv/bin/python
	@echo "installing tmem and the checker of schedules to compare it with into .venv ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[schedules]'
	@touch $@

docs-pdf: .venv/.installed-docs
	$(BIN)/python -m tools.site.specification
	$(BIN)/sphinx-build -q -W --keep-going -b singlehtml -c tools/site build/specification build/specification-html
	$(CHROMIUM) --headless --no-sandbox --disable-gpu --disable-background-networking --no-pdf-header-footer \
		--print-to-pdf=build/tmem-specification.pdf file://$(CURDIR)/build/specification-html/index.html 2>build/chromium.log
	@echo "open build/tmem-specification.pdf"

.venv/.installed-docs: pyproject.toml | .venv/bin/python
	@echo "installing tmem and what builds its pages into .venv ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[docs]'
	@touch .venv/.installed $@

.venv/.installed-bench: pyproject.toml | .venv/bin/python
	@echo "installing tmem and the stores to compare it with into .venv ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[bench]'
	@touch .venv/.installed $@

.venv/bin/python:
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "$(TOO_OLD)" >&2; exit 1; }
	@'$(PYTHON)' -m venv .venv >/dev/null || { rm -rf .venv; echo "$(NO_VENV)" >&2; exit 1; }
