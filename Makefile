# Everything that a developer calls. Only python3 and make need to be there.

# Another interpreter or other ports: make demo PYTHON=python3.12 PORT=8001
PYTHON = python3
PORT = 8000
# That of prod-up is another, so that it stands beside dev-up.
PROD_PORT = $(if $(filter file,$(origin PORT)),8443,$(PORT))
# The first operator, whom prod-up makes: make prod-up OPERATOR=you@example.com
OPERATOR =
SANDBOX_PORT = 9000
# What `make test` hands to pytest, such as ARGS="tests/providers -x"; for `make bench` see its
# ARGS="--help".
ARGS =

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CLIENTS := $(VENV)/clients/.ready
PORTS = --port $(PORT) --sandbox-port $(SANDBOX_PORT)
LOCAL := $(BIN)/python -m connections_project.sandbox.local
# The settings of the tests are those of production, with throw-away keys.
LIKE_PRODUCTION := --settings tests.settings
MANAGE := DATABASE_URL=sqlite:///$(VENV)/lint.sqlite3 $(BIN)/python manage.py
FITS := import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))

.PHONY: help demo dev-up dev-down dev-connect prod-up prod-down test bench clients screenshots lint lock clean
.DEFAULT_GOAL := help

help: ## Show what there is to call
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## Walk the whole scenario, connect to disconnect, on a set-up that is gone afterwards
	@$(LOCAL).demo $(PORTS)

dev-up: $(READY) .env ## Start service, bank and retries in the background, and show how to go on
	@$(LOCAL).dev up $(PORTS)

dev-down: $(READY) ## Stop them; what they stored stays in .dev
	@$(LOCAL).dev down

dev-connect: $(READY) .env ## Connect the bank for the demo user; prints the connection's id
	@$(LOCAL).dev connect $(PORTS)

prod-up: $(READY) .env ## Start what production runs, on DATABASE_URL and REDIS_URL of this machine
	@$(LOCAL).prod up --port $(PROD_PORT) $(if $(OPERATOR),--operator "$(OPERATOR)")

prod-down: $(READY) ## Let these finish what they do, and stop them
	@$(LOCAL).prod down

test: $(READY) ## Run all tests: on SQLite, and on PostgreSQL with Redis where they are reachable
	@$(BIN)/python -m tests.run $(ARGS)

bench: $(READY) ## Measure the service beside plain DRF views on the same server, and all else; ten minutes
	@$(BIN)/python -m bench $(ARGS)

clients: $(CLIENTS) ## Fetch the generators of clients, for tests/clients; needs Node.js and npm

$(CLIENTS): tests/clients/requirements.txt tests/clients/package-lock.json | $(READY)
	@echo "Installing the generators of tests/clients ..." >&2
	@UV_SYSTEM_CERTS=true; export UV_SYSTEM_CERTS; \
	  $(PYTHON) -m venv --clear $(@D) && $(BIN)/uv pip install --quiet --python $(@D)/bin/python \
	  -r tests/clients/requirements.txt \
	  || $(@D)/bin/pip install --quiet --disable-pip-version-check -r tests/clients/requirements.txt
	@cp tests/clients/package.json tests/clients/package-lock.json tests/clients/.npmrc $(@D)
	@cd $(@D) && npm ci --silent --ignore-scripts
	@touch $@

screenshots: $(READY) ## Make screenshots of all pages in .screenshots
	@mkdir -p .screenshots
	@SCREENSHOTS=.screenshots $(BIN)/pytest -q -n0 tests/browser/test_screenshots.py \
	  tests/browser/test_person_pages.py tests/browser/test_admin_accessibility.py

lint: $(READY) ## Check style, types, layers, migrations, the OpenAPI document, production settings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(MANAGE) makemigrations --check --dry-run $(LIKE_PRODUCTION)
	$(MANAGE) spectacular --validate --fail-on-warn --file /dev/null $(LIKE_PRODUCTION)
	$(MANAGE) check --deploy --fail-level WARNING $(LIKE_PRODUCTION)

lock: $(READY) ## Pin all that production installs, with hashes, in requirements.lock
	@# The same file for each Python and platform; what is pinned already stays, but for requirements.txt.
	@UV_SYSTEM_CERTS=true $(BIN)/uv pip compile requirements.txt requirements-timestamps.txt --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --custom-compile-command "make lock" --output-file requirements.lock

.env: | $(READY) ## Make development settings with fresh keys; one that is there stays
	@$(LOCAL).keys $@
	@echo "Made .env with fresh keys." >&2

clean: ## Stop what runs, and remove .venv, .dev with its databases, and all caches
	@if test -d .dev && test -e $(READY); then $(LOCAL).dev down; $(LOCAL).prod down; fi
	rm -rf $(VENV) .dev .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What goes to standard output is the caller's: PROVIDER_ID=$(make -s dev-connect).
$(READY): requirements.txt requirements-timestamps.txt requirements-dev.txt
	@$(BIN)/python -c 'import pip; $(FITS)' 2>/dev/null || { \
	  $(PYTHON) -c '$(FITS)' 2>/dev/null || { \
	    echo "$(PYTHON) is no Python 3.11 to 3.14: install one, or name it, as in" \
	      "'make PYTHON=python3.12 $(firstword $(MAKECMDGOALS))'." >&2; exit 1; }; \
	  echo "Making $(VENV) ..." >&2; \
	  $(PYTHON) -m venv --clear $(VENV) >&2 || { \
	    echo "$(PYTHON) can't make virtual environments (on Debian: apt-get install python3-venv)." \
	      >&2; exit 1; }; }
	@echo "Installing what requirements-dev.txt names ..." >&2
	@# uv is several times faster; pip knows more ways to reach a registry, such as pip.conf's.
	@$(BIN)/pip install --quiet --disable-pip-version-check uv >&2
	@UV_SYSTEM_CERTS=true $(BIN)/uv pip install --quiet --python $(BIN)/python \
	  -r requirements-dev.txt >&2 || { echo "uv could not; once more with pip ..." >&2; \
	  $(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt >&2; }
	@touch $@
