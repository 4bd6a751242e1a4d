"""Promise 7: a mistake raises when it is built or traced, and the error says what is wrong, where, and what to do."""

import inspect
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import gradtx
from gradtx.core.mathematics import GIVEN
from properties import registry
from properties.misuses import MISUSES, adam_on


def expected_messages():
    """Parse misuses.txt. Each block has the name of a misuse, the type and message of the error, and its notes."""
    blocks = Path(__file__).with_name("misuses.txt").read_text().strip().split("\n\n")
    return dict(block.split("\n", 1) for block in blocks)


def message(error):
    """An error as it is shown, without JAX's note about the traceback."""
    notes = [note for note in getattr(error, "__notes__", []) if not note.startswith("-----")]
    return "\n".join([f"{type(error).__name__}: {error}", *notes])


@registry.of_gradtx
def test_every_misuse_has_its_message():
    assert list(expected_messages()) == list(MISUSES)
    assert len(MISUSES) >= 40


@registry.of_gradtx
@pytest.mark.scenario(
    10, "a gradient of shape (1,) for a parameter of shape (3,) raises an error with the path and is not broadcast"
)
@pytest.mark.scenario(
    17, "the error for a missing extra argument names the stage that needs it, and a misspelt one gets a suggestion"
)
@pytest.mark.scenario(
    18, "the state of another optimizer, a stale state, or params in the place of the state raise errors that say which"
)
@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_says_what_is_wrong_and_what_to_do(misuse):
    with pytest.raises((TypeError, ValueError)) as caught:
        MISUSES[misuse]()
    assert message(caught.value) == expected_messages()[misuse]


@registry.of_gradtx
def test_a_misuse_raises_while_tracing():
    with pytest.raises(ValueError, match="Nothing is broadcast"):
        jax.eval_shape(adam_on, {"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(1)}})


@registry.of_gradtx
def test_an_error_inside_a_stage_has_a_note_with_the_path_and_type_of_the_array():
    tx = gradtx.leafwise(lambda u, s, p: (u @ u, s))
    with pytest.raises(TypeError) as caught:
        tx.update({"square": jnp.ones((2, 2)), "oblong": jnp.ones((2, 3))}, tx.init({}))
    assert "updates['oblong'], float32[2,3]" in "\n".join(caught.value.__notes__)


@pytest.mark.scenario(
    17, "the error for a missing extra argument names the stage that needs it, and a misspelt one gets a suggestion"
)
@pytest.mark.parametrize("name", registry.NAMES)
def test_extra_arguments_that_no_stage_needs_are_ignored(name):
    tx, p, g = registry.make(name), registry.params(), registry.grads()
    extra = {"value": 1.0, "grad": g, "hessian": g, "max_logits": registry.LOGITS}
    extra.update(value_fn=lambda p: 0.0, residual_fn=lambda p: ())
    jax.eval_shape(lambda g, p: tx.update(g, tx.init(p), p, **extra), g, p)


NEEDING = [
    (name, extra)
    for name in registry.NAMES
    if registry.LIBRARY == "gradtx"
    for stage in registry.stages(registry.make(name).mathematics)
    for extra in stage.needs
    if extra not in GIVEN
]


@pytest.mark.parametrize(("name", "needed"), dict.fromkeys(NEEDING))
def test_an_extra_argument_that_is_none_is_missing(name, needed):
    tx, p, g = registry.make(name), registry.params(), registry.grads()
    extra = {"value": 1.0, "hessian": g, **registry.other_arguments(g, p), needed: None}
    with pytest.raises(TypeError, match=f"needs the extra argument '{needed}'. Call update"):
        tx.update(g, tx.init(p), p, **extra)


@pytest.mark.parametrize("name", dict.fromkeys(name for name, needed in NEEDING if needed == "value"))
@pytest.mark.parametrize("wrong", [1.0 + 2.0j, jnp.ones((), complex)], ids=["Python", "JAX"])
def test_a_complex_loss_is_refused(name, wrong):
    tx, p, g = registry.make(name), registry.params(), registry.grads()
    with pytest.raises(TypeError, match="value is complex; expected a real number"):
        tx.update(g, tx.init(p), p, value=wrong, **registry.other_arguments(g, p))


@pytest.mark.scenario(
    10, "a gradient of shape (1,) for a parameter of shape (3,) raises an error with the path and is not broadcast"
)
@pytest.mark.parametrize("name", registry.NAMES)
def test_a_gradient_whose_shape_differs_from_its_parameter_is_refused(name):
    tx, p = registry.make(name), registry.params()
    with pytest.raises(ValueError, match=r"updates\['w'\] is float32\[1\].*\n?"):
        registry.advance(tx, {**registry.grads(), "w": jnp.ones(1)}, tx.init(p), p)


@pytest.mark.scenario(
    22, "an optimizer built without a learning rate descends or raises an error, and a plateau recovers from a NaN loss"
)
@pytest.mark.parametrize("name", registry.OPTIMIZERS)
def test_an_optimizer_built_without_a_learning_rate_descends_or_raises(name):
    factory = getattr(registry.lib, name)
    rate = inspect.signature(factory).parameters["learning_rate"].default
    if rate is inspect.Parameter.empty:
        with pytest.raises(TypeError, match="learning_rate"):
            factory()
        return
    tx, p = factory(), registry.params()
    updates, _ = registry.advance(tx, registry.grads(), tx.init(p), p)
    assert sum(jnp.vdot(u, g) for u, g in zip(*map(jax.tree.leaves, (updates, registry.grads())), strict=True)) < 0
