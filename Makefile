# Two commands matter to a newcomer: `make demo` and `make test`. Everything is installed into .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# A suite starts hundreds of programs: each compiles all of ours where bytecode may not be kept.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check kernels browser format lock bench chaos fuzz persistence clean

help:            ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: $(STAMP)  ## make .venv and install the pinned dependencies

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Photinus needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || { echo "[1/4] making $(VENV)"; $(PYTHON) -m venv $(VENV) \
	  || { echo "No venv module here. On Debian: apt-get install python3-venv"; exit 1; }; }
	@echo "[2/4] installing torch (the one large download)"
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --progress-bar on -c constraints.txt torch==2.13.0
	@echo "[3/4] installing Photinus and the rest of its pinned dependencies"
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --progress-bar on -c constraints.txt -e '.[train,dev]'
	@echo "[4/4] compiling them, on every core"
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib > /dev/null 2>&1 || true  # some packages carry templates that are no Python
	@touch $(STAMP)

demo: $(STAMP)   ## open the cockpit on a live Kuramoto run
	@$(BIN)/photinus demo

test: $(STAMP)   ## run the suite on both cores
	@.ci/ssh-server
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 4 --dist worksteal  # four workers share the cores already

check: $(STAMP)  ## what CI checks before it tests: style, types, import arrows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy

kernels: $(STAMP) ## test the Triton kernels under its interpreter, which is installed beside (1 GB)
	@.ci/kernels

browser: $(STAMP) ## drive `photinus serve` in headless chromium, which is found or installed
	@.ci/browser

format: $(STAMP) ## lay the code out as `make check` wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(STAMP)   ## ask the package index for the hashes of what deploys install
	@$(BIN)/python .ci/lock

bench: $(STAMP)  ## measure, print a table, write benchmarks/results/*.json
	@$(BIN)/python -m benchmarks

chaos: $(STAMP)  ## the long trials: kill -9 everywhere, races, full disks; one line a claim
	@.ci/ssh-server
	@PHOTINUS_TRIALS=full $(BIN)/python -m pytest -n 3 --dist worksteal -m chaos --timeout 3600 -rfEs

SECONDS_EACH ?= 60

fuzz: $(STAMP)   ## mutated input for every reader of what comes from outside, SECONDS_EACH=60 a target
	@$(BIN)/python -m tests.fuzz $(SECONDS_EACH)

persistence: $(STAMP) ## 10 steps, a new process and 10 more are 20; without the checkpoint it must fail
	@$(BIN)/python .ci/persistence prove

clean:           ## remove what make made (runs in ~/.photinus stay)
	rm -rf $(VENV) .kernels .mypy_cache .ruff_cache
