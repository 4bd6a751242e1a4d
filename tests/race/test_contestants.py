"""The names of contestants and groups."""

import jax.numpy as jnp
import pytest

from gradtx.race import contestants
from gradtx.race.contestants import ARTICLE_ORDER, CONTESTANTS, DEFAULT, GROUPS, Length


@pytest.mark.parametrize("name", CONTESTANTS)
def test_every_contestant_can_be_built_with_one_rate_or_many(name):
    length = Length(epochs=3, steps_per_epoch=10)
    params = jnp.ones(3)
    for rate in (0.01, jnp.array([0.01, 0.1])):
        tx = CONTESTANTS[name](rate, length)
        assert tx.init(params)


def test_the_default_includes_every_optimizer_in_the_articles_order():
    assert set(ARTICLE_ORDER) <= set(DEFAULT) <= set(CONTESTANTS)


def test_names_keep_their_order_without_duplicates():
    assert contestants.names("adam, sgd,adam") == ("adam", "sgd")


def test_a_group_stands_for_its_members():
    assert contestants.names("sgd,recipes") == ("sgd", *GROUPS["recipes"])


def test_all_stands_for_every_contestant():
    assert contestants.names("all") == tuple(CONTESTANTS)


def test_an_unknown_name_raises_with_the_closest_and_all_known_names():
    with pytest.raises(ValueError, match="'adamm'") as caught:
        contestants.names("sgd,adamm")
    assert "Did you mean 'adam'?" in str(caught.value)
    assert all(name in str(caught.value) for name in [*CONTESTANTS, *GROUPS])


def test_the_cosine_recipe_ends_at_rate_zero():
    length = Length(epochs=4, steps_per_epoch=25)
    tx = CONTESTANTS["clipped_adamw_cosine"](0.1, length)
    schedule = tx.stages["adamw"].arguments["learning_rate"]
    assert float(schedule(length.steps)) == 0.0
    assert max(float(schedule(step)) for step in range(length.steps)) == pytest.approx(0.1)
