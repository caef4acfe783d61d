# Every command is one word; `make` alone lists them. CI, the hooks and the README use these words and no others.
# A machine needs Python 3.11+, pip and make: uv goes into .venv-tools, the locked packages into .venv.

PYTHON ?= python3
ARGS ?=
WORKERS ?= logical

TOOLS := .venv-tools
UV := $(TOOLS)/bin/uv
BIN := .venv/bin
IMAGE := protos/coalition/contracts.binpb
RELEASED := deploy/contracts/released.binpb
BREAKING := $(BIN)/buf breaking $(IMAGE) --against $(RELEASED) --config buf.yaml

# --frozen: the lock decides. --inexact: words with different groups do not uninstall each other's packages.
# Set-up talks on stderr only: stdout belongs to the word (`make demo ARGS='--output json' | jq`).
SYNC := $(UV) sync --frozen --inexact --python $(TOOLS)/bin/python $(if $(wildcard .venv/pyvenv.cfg),--quiet)
MAKEFLAGS += --no-print-directory
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV
# As pip does: trust what this machine trusts, so that a company's proxy with a CA of its own works for uv too.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt),)
export UV_SYSTEM_CERTS ?= 1
endif

.DEFAULT_GOAL := help
.PHONY: help demo test bench bench-settlement scale crash fuzz histories mutants lint format up down status verify contracts clean platform development

help: ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(UV) ## replay real purchases and settle them; ARGS='--baskets 5000 --output json'
	@$(SYNC) --no-default-groups --group sandbox --group demo >&2
	@$(BIN)/coalition demo $(ARGS)

test: development ## run every test in parallel and random order; ARGS='-k reversal', WORKERS=2
	@$(BIN)/pytest -n $(WORKERS) --maxprocesses 8 --dist loadfile $(ARGS)

crash: development ## kill the ledger and PostgreSQL under load, prove that nothing was lost; ARGS='--seed 1'
	@$(BIN)/python -m tests.faults.crash $(ARGS)

fuzz: development ## send 10,000 bad messages to every RPC of the ledger; ARGS='--messages 500 --seed 1', '--service settlement'
	@$(BIN)/python -m tests.fuzz.run $(ARGS)

histories: development ## play random histories on the ledger and on a slow model; ARGS='--on store --examples 2000 --steps 50'
	@$(BIN)/python -m tests.ledger.histories $(ARGS)

mutants: development ## change the ledger's rules one by one and count which changes no test notices; ARGS='--max-children 2'
	@$(BIN)/mutmut run $(ARGS)
	@$(BIN)/mutmut results

scale: development ## fill a long journal, verify and replay it; ARGS='--entries 1000000'
	@$(BIN)/python -m tests.load.scale $(ARGS)

bench: development ## measure the ledger against pgbench, in pairs; ARGS='--cases award-64,batch-500 --output json'
	@$(BIN)/python -m tests.load.bench $(ARGS)

bench-settlement: development ## measure settlement at size: ingest, closing, the whole job, the bank, awards meanwhile; ARGS='--entries 10000000'
	@$(BIN)/python -m tests.load.settlement $(ARGS)

lint: development ## ruff, mypy strict, import arrows, contracts: style, format, nothing broken
	@$(UV) lock --check --quiet
	@$(BIN)/ruff check --quiet --output-format concise
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/buf lint $(IMAGE) --config buf.yaml
	@$(BIN)/buf format --diff --exit-code protos
	@$(BREAKING)

format: development ## bring Python and contracts into shape
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet
	@$(BIN)/buf format --write protos

up: platform ## start PostgreSQL and the services on this machine
	@$(BIN)/coalition up $(ARGS)

down: platform ## stop them; what they stored stays
	@$(BIN)/coalition down $(ARGS)

status: platform ## say what runs and whether it is healthy
	@$(BIN)/coalition status $(ARGS)

verify: platform ## replay the journal and compare everything with it
	@$(BIN)/coalition verify $(ARGS)

contracts: development ## take today's contracts as the released ones, unless they break yesterday's
	@test ! -e $(RELEASED) || $(BREAKING)
	@$(BIN)/buf build $(IMAGE) --config buf.yaml --exclude-source-info --output $(RELEASED)

clean: ## remove environments, caches and generated stubs (never data)
	@rm -rf .venv .venv-tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis mutants dist protos/dist protos/buf
	@find protos -name '*_pb2*.py*' -delete
	@rm -f $(IMAGE)

platform: $(UV)
	@$(SYNC) --no-default-groups --group sandbox >&2

development: $(UV)
	@$(SYNC) --group demo >&2

$(UV):
	@exec >&2; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Coalition needs Python 3.11 or newer as $(PYTHON); name another one with make PYTHON=python3.12 ..."; exit 1; }; \
	rm -rf $(TOOLS); \
	$(PYTHON) -m venv --without-pip $(TOOLS) || \
	  { echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv"; exit 1; }; \
	set -- $(PYTHON) -m pip --python $(TOOLS)/bin/python; \
	if "$$@" --version >/dev/null 2>&1; then :; \
	elif $(TOOLS)/bin/python -m ensurepip >/dev/null 2>&1; then set -- $(TOOLS)/bin/python -m pip; \
	else echo "$(PYTHON) has neither pip 22.3 or newer nor ensurepip; on Debian: apt install python3-pip python3-venv"; \
	  exit 1; fi; \
	"$$@" --disable-pip-version-check install --quiet 'uv>=0.13,<0.14' || \
	  { echo "pip could not install uv; its message stands above."; exit 1; }
