# Everything from nothing with Python 3.11+ and make:  make run · make clusters · make test · make check · make bench · make lock
# PORT, STRATA_DATA_DIR and STRATA_DATABASE_URL are respected; PYTHON names the interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

# What no database role matters to.
APART := domain bench
# Under row-level security: all tests but those that have no database (domain, bench, distribution), start or migrate
# databases of their own (cli, embedded, migrations, kills), measure memory or calls (import_memory, limits), ask about HTTP
# alone (audits), or generate what the others ask (schemathesis).
NOT_ISOLATED := domain bench laws/test_distribution.py test_cli.py persistence/test_embedded.py persistence/test_migrations.py \
	faults/test_kills.py services/test_import_memory.py api/graphql/test_limits.py api/graphql/test_audits.py api/test_schemathesis.py
# Each line says of which run it is. Who reads them outlives Ctrl-C, for the last words.
SHELL := bash
TESTED = set -o pipefail; $(BIN)/python -m pytest $(2) 2>&1 \
	| (trap '' INT; while IFS= read -r line; do printf '%s %s\n' '$(1)' "$$line"; done)

.DEFAULT_GOAL := help
.PHONY: help run clusters test suite isolation apart check bench format lock clean

help:
	@sed -n '1,2s/^# //p' Makefile

run: $(VENV)/runtime.stamp
	@exec $(BIN)/strata serve

# What suggests clusters takes 170 MB: only who wants it installs it.
clusters: $(VENV)/clusters.stamp

# Two at a time: each is busy with one core, and has a PostgreSQL of its own. What is left comes where one has ended.
test:
	@$(MAKE) --no-print-directory --jobs=2 suite isolation apart

suite: check
	@$(call TESTED,suite   ,$(addprefix --ignore tests/,$(APART)))

apart: check
	@$(call TESTED,apart   ,$(addprefix tests/,$(APART)))

# Once more as a database role that row-level security is forced upon.
isolation: check
	@$(call TESTED,isolated,--rls $(addprefix --ignore tests/,$(NOT_ISOLATED)))

check: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m bench

format: $(VENV)/dev.stamp
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock:
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra clusters --output-file requirements-clusters.lock
	$(LOCK) --extra dev --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The checkout itself is the program: a path entry and a two-line script need no build.
$(VENV)/bin/strata:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Strata needs Python 3.11 or later: make PYTHON=python3.12"; exit 1; }
	@echo "making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); $(PYTHON) -m virtualenv --quiet $(VENV); } 2>/dev/null \
		|| { echo "Python's venv is incomplete: install it (Debian: apt-get install python3-venv)"; exit 1; }
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "strata.pth").write_text(str(pathlib.Path.cwd()) + "\n")'
	@printf '#!%s\nfrom app.cli import main\n\nif __name__ == "__main__":\n    main()\n' "$(CURDIR)/$(BIN)/python" > $@
	@chmod +x $@

$(VENV)/runtime.stamp: requirements.lock $(VENV)/bin/strata
	@echo "installing requirements.lock"
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(VENV)/clusters.stamp: requirements-clusters.lock $(VENV)/runtime.stamp
	@echo "installing requirements-clusters.lock"
	@$(PIP) install --require-hashes -r requirements-clusters.lock
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/bin/strata
	@echo "installing requirements-dev.lock"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/runtime.stamp $(VENV)/clusters.stamp
