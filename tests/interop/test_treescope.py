"""Transformations and states in Treescope."""

import treescope

import gradtx


def test_a_transformation_is_shown_with_the_call_that_makes_it():
    tx = gradtx.chain(gradtx.clip_by_global_norm(1.0), gradtx.adam(gradtx.warmup_cosine(0.1, 2, 10)))
    assert repr(tx) in treescope.render_to_text(tx)


def test_the_page_of_a_transformation_names_its_hyperparameters():
    assert "learning_rate" in treescope.render_to_html(gradtx.adam(0.1), compressed=False)


def test_a_state_is_shown_with_the_names_of_stages_and_fields(problem):
    state = gradtx.adam(0.1).init(problem.params)
    shown = treescope.render_to_text(state)
    assert all(name in shown for name in ("step", "track_moments", "Moments", "first", "second", "kernel"))
    assert "track_moments" in treescope.render_to_html(state, compressed=False)
