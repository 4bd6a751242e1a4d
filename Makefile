# make race trains real networks with every optimizer and draws the pictures. make test runs every check.
PYTHON ?= python3
PIP_ARGS ?=
BIN := .venv/bin
READY := .venv/.ready

.PHONY: race test test-all test-oldest promises bench clean

race: $(READY)
	$(BIN)/python -m gradtx race --out race
	@echo "The pictures are in $(CURDIR)/race"

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not exhaustive and not slow"

test-all: $(READY)
	$(BIN)/python -m pytest

# The library and its own tests against the oldest JAX that pyproject.toml admits, in an environment of its own.
test-oldest:
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --editable . jax==0.8.0 jaxlib==0.8.0 optax chex pytest pytest-xdist \
		equinox flax hypothesis orbax-checkpoint
	.venv-oldest/bin/python -m pytest -m "not exhaustive and not slow" --ignore gradtx/race --ignore gradtx/__main__.py gradtx \
		tests/core tests/transforms tests/schedules tests/optimizers tests/properties

# The page of promises: the tests of promises, run on gradtx and on Optax, except for the one that compares the page
# itself. A failure of Optax is what the page reports.
promises: $(READY)
	$(BIN)/python -m pytest -q -m "not exhaustive" --promises build/gradtx.json tests/properties \
		--deselect tests/properties/test_registry.py::test_the_page_of_promises_lists_every_transformation
	PROPERTIES_OF=optax $(BIN)/python -m pytest -q -m "not exhaustive" --promises build/optax.json tests/properties \
		> build/optax.txt || true
	$(BIN)/python tests/properties/page.py build/gradtx.json build/optax.json docs/promises.md

bench: $(READY)
	$(BIN)/python -m benchmarks

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group test --group lint --editable ".[race]"
	touch $(READY)

clean:
	rm -rf .venv .venv-oldest race build
