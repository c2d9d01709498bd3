# make demo [CORPUS=folder]   the whole line: recordings, tiles, eight trainings, eight sweeps, a contest, a report
# make test                   the tests
# make check                  format, lint, types
SHELL := /bin/sh
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check bench clean

demo: $(VENV)/.demo-ready
	@$(VENV)/bin/arena demo $(if $(CORPUS),--corpus "$(CORPUS)") $(if $(OUT),--out "$(OUT)")

test: $(VENV)/.test-ready
	@$(VENV)/bin/python -m pytest $(ARGS)

check: $(VENV)/.test-ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

bench: $(VENV)/.demo-ready
	@$(VENV)/bin/python benchmarks/train_speed.py

$(VENV)/.demo-ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Arena and its packages into $(VENV) (about 5 GB, a few minutes the first time) ..."
	@$(PIP) --editable ".[speech]"
	@touch $@

$(VENV)/.test-ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Arena, its packages and the test tools into $(VENV) (about 5 GB, a few minutes the first time) ..."
	@$(PIP) --editable ".[speech,dev]"
	@touch $@ $(VENV)/.demo-ready

$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "error: Arena needs Python 3.11 or newer, and '$(PYTHON)' is not; install one or call make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "error: $(PYTHON) cannot make a virtual environment; on Debian: sudo .ci/debian-packages"; exit 1; }

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build ./*.egg-info
