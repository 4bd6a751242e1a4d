"""Promise 9: a step needs no memory in addition to its arguments, and calls nothing outside the program."""

import jax
import pytest

from properties import registry
from properties.test_jax_transformations import donated


@pytest.mark.parametrize("name", registry.sampled(registry.ELEMENTWISE))
def test_a_donated_elementwise_step_needs_no_memory_that_grows_with_the_arrays(name):
    compiled, (p, state, _) = donated(name)
    # The step may use memory for scalars, but not for an array of 4096 numbers. If it reads the state that it replaces,
    # XLA first copies that state on a CPU, as it does for Optax.
    reads = name in registry.READS_STATE | registry.GUARDS
    allowed = sum(x.nbytes for x in jax.tree.leaves(state)) if reads else 0
    assert compiled.memory_analysis().temp_size_in_bytes < allowed + p["w"].nbytes / 16


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_step_calls_nothing_outside_the_program(name):
    tx, p = registry.make(name), registry.params()
    program = jax.make_jaxpr(lambda *arguments: registry.advance(tx, *arguments))(registry.grads(), tx.init(p), p)
    assert not program.effects
    assert "callback" not in str(program)


@registry.of_gradtx
@pytest.mark.parametrize("name", registry.NAMES)
def test_a_state_holds_no_more_than_its_arrays_and_scalars(name):
    p = registry.params()
    state = registry.make(name).init(p)
    shapes = {x.shape for x in jax.tree.leaves(p)} | {()}
    if name not in registry.FACTORED:
        assert {x.shape for x in jax.tree.leaves(state)} <= shapes
    most = 6 if name in registry.LAST else 5  # a search keeps where it arrived in addition to what its direction keeps
    assert sum(x.size for x in jax.tree.leaves(state)) <= most * sum(x.size for x in jax.tree.leaves(p)) + 10
