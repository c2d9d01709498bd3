# make demo [CORPUS=folder]   the whole line: recordings, tiles, eight trainings, eight sweeps, a contest, a report
# make test                   the tests
# make soak [ARGS='-k ray']   what is too long for `make test`, such as 1,000 killed agents; docs/explanation/soak.md
# make check                  format, lint, types
# make docs                   the documentation site, in docs/_build/html
# make bench [ARGS=--quick]   the speeds that Arena stands for, against what they are claimed against; --quick takes six minutes
# Each takes TORCH_INDEX=address: torch and torchaudio come from there, such as the CPU builds at the address that pytorch.org
# gives. It is remembered in .venv, until `make clean`.
SHELL := /bin/sh
PYTHON ?= python3 python3.13 python3.12 python3.11
VENV := .venv
# Without cached bytecode the tests take three seconds more to start.
unexport PYTHONDONTWRITEBYTECODE
RECORDED_INDEX := $(shell cat $(VENV)/.torch-index 2>/dev/null)
TORCH_INDEX ?= $(RECORDED_INDEX)
INSTALL := $(VENV)/bin/python .ci/install $(if $(TORCH_INDEX),--torch-index "$(TORCH_INDEX)")
OPENCV := .ci/headless-opencv $(VENV)/bin/python

.PHONY: demo test soak check docs bench clean

demo: $(VENV)/.demo-ready
	@$(VENV)/bin/arena demo $(if $(CORPUS),--corpus "$(CORPUS)") $(if $(OUT),--out "$(OUT)")

test: $(VENV)/.test-ready
	@$(VENV)/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

soak: $(VENV)/.test-ready
	@$(VENV)/bin/python -m pytest tests/soak $(ARGS)

check: $(VENV)/.test-ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

docs: $(VENV)/.docs-ready
	@$(VENV)/bin/python -m sphinx --quiet --fail-on-warning docs docs/_build/html
	@echo "$(CURDIR)/docs/_build/html/index.html"

bench: $(VENV)/.bench-ready
	@$(VENV)/bin/python -m benchmarks.bench $(ARGS)

$(VENV)/.demo-ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(INSTALL) all,speech
	@$(OPENCV)
	@touch $@

$(VENV)/.test-ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(INSTALL) all,speech,dev,dashboard,postgres,slurm,onnx,notebook,docs
	@$(OPENCV)
	@touch $@ $(VENV)/.demo-ready $(VENV)/.docs-ready

$(VENV)/.docs-ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(INSTALL) docs
	@touch $@

$(VENV)/.bench-ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(INSTALL) all,speech,bench
	@$(OPENCV)
	@touch $@ $(VENV)/.demo-ready

ifneq ($(TORCH_INDEX),$(RECORDED_INDEX))
.PHONY: $(VENV)/.demo-ready $(VENV)/.test-ready $(VENV)/.bench-ready
endif

# The first Python of the list that runs and is new enough: a name on the path may be a shim with nothing behind it.
$(VENV)/bin/python:
	@for python in $(PYTHON); do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 || continue; \
	  "$$python" -m venv $(VENV) && exit 0; rm -rf $(VENV); \
	  echo "error: $$python cannot make a virtual environment; on Debian or Ubuntu: sudo .ci/debian-packages"; exit 1; \
	done; \
	echo "error: Arena needs Python 3.11 to 3.13 and found none of: $(PYTHON); install one or call make PYTHON=/path/to/python3.12"; exit 1

clean:
	rm -rf $(VENV) .uv .pytest_cache .mypy_cache .ruff_cache build ./*.egg-info
