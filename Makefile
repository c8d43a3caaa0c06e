# Every target sets up .venv first, from constraints.txt; all that is needed beforehand is make and Python >= 3.11.
#   make demo    prune a random network into a trained one, with certificates
#   make test    all tests, README and docstring examples        make lint    style and types
#   make proofs  re-check the Coq theorems (needs Coq: apt install coq)
#   make bench   measure the README's timings                    make clean   remove what was made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.DELETE_ON_ERROR:
.PHONY: demo test triton lint types proofs bench clean

demo: $(READY)
	@$(BIN)/strong-lth demo

test: $(READY)
	@$(BIN)/python -m pytest -n 2

# Triton runs the GPU kernels in its interpreter; a third of a gigabyte, so that only CI fetches it. CUDA builds of torch bring their own.
triton: $(READY)
	@$(BIN)/python -c 'import triton' 2>/dev/null || $(PIP) triton==3.9.0

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory types

types: $(READY)
	@$(BIN)/mypy

proofs: $(READY)
	@$(MAKE) --no-print-directory -C proofs

bench: $(READY)
	@$(BIN)/python benchmarks/bench_startup.py
	@$(BIN)/python benchmarks/bench_main_jobs.py
	@$(BIN)/python benchmarks/subset_sum.py --record
	@$(BIN)/python benchmarks/readme_tables.py

clean:
	@$(MAKE) -s -C proofs clean
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find strong_lth tests simulations benchmarks proofs -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# The stamp is written last: an interrupted installation starts again.
$(READY): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || \
	    { echo "make: there is no '$(PYTHON)'; install Python 3.11 or newer, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "make: '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1); 3.11 or newer is needed: make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "make: '$(PYTHON)' lacks its venv or ensurepip module; install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@rm -f $@
	@echo "setting up $(VENV) (once; a few minutes) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@
