# Everything sets itself up: the environment in .venv, from the locked dependencies.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
BIN := .venv/bin
ONCE ?=
# A file's tests stay together: several share a server or a recording.
TOGETHER ?= --numprocesses auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo serve test check lint types imports docs clean

help:
	@printf 'make demo          see attacks being caught (ONCE=1: exit after the table)\nmake serve         receive, detect, alert, in ./toolhound-workspace\n'
	@printf 'make test          lint, types, import contracts, docs, tests\nmake check         the same without what is slow\nmake clean         remove what was made here\n'

demo: .venv/run
	@$(BIN)/python -m sample_data.demo $(if $(ONCE),--once)

serve: .venv/run
	@$(BIN)/toolhound serve

test: lint types imports docs
	$(BIN)/pytest $(TOGETHER)

check: lint types imports docs
	$(BIN)/pytest $(TOGETHER) -m 'not slow'

lint: .venv/dev
	$(BIN)/ruff check

types: .venv/dev
	$(BIN)/mypy

imports: .venv/dev
	$(BIN)/lint-imports --no-cache

docs: .venv/dev
	$(BIN)/python -m docs.generate --check

clean:
	rm -rf .venv demo-workspace toolhound-workspace build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/python:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer with venv is needed (Debian: apt-get install python3 python3-venv)' >&2; exit 1; }
	'$(PYTHON)' -m venv .venv
	@touch $@

# The lock holds hashes: a package that is not the one that was tested is refused.
.venv/run: .venv/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m toolhound.warm
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
