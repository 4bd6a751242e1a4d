# make race: train real networks with every optimizer and draw the pictures.  make test: everything that is checked.
PYTHON ?= python3
PIP_ARGS ?=
BIN := .venv/bin
READY := .venv/.ready

.PHONY: race test test-all bench clean

race: $(READY)
	$(BIN)/python -m gradtx race --out race
	@echo "The pictures are in $(CURDIR)/race"

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not exhaustive"

test-all: $(READY)
	$(BIN)/python -m pytest

bench: $(READY)
	$(BIN)/python -m benchmarks

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group test --group lint --editable ".[race]"
	touch $(READY)

clean:
	rm -rf .venv race
