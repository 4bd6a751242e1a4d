"""The numbers that the plots show."""

import jax.numpy as jnp
import numpy as np

import gradtx
from gradtx.race import pictures
from gradtx.race.results import Result, Settings
from gradtx.race.training import Metrics


def _valley_path(tx):
    return pictures.descend(tx, pictures._valley, (-9.0, 1.5), steps=40)


def test_a_path_iterates_the_update_rule():
    path = pictures.descend(gradtx.sgd(0.1), lambda p: jnp.sum(p**2), (1.0, -2.0), steps=3)
    np.testing.assert_allclose(path, np.outer(0.8 ** np.arange(4), [1.0, -2.0]), rtol=1e-6)


def test_sgd_crosses_the_valley_more_often_than_momentum_and_adam():
    crossings = [
        int((np.diff(np.sign(_valley_path(tx)[:, 1])) != 0).sum())
        for tx in (gradtx.sgd(0.019), gradtx.sgd(0.003, momentum=0.9), gradtx.adam(0.3))
    ]
    assert crossings[0] == 40
    assert max(crossings[1:]) < 10


def test_momentum_and_adam_end_closer_to_the_minimum_than_sgd():
    sgd, momentum, adam = (
        np.linalg.norm(_valley_path(tx)[-1])
        for tx in (gradtx.sgd(0.019), gradtx.sgd(0.003, momentum=0.9), gradtx.adam(0.3))
    )
    assert momentum < 0.5 * sgd and adam < 0.5 * sgd


def test_with_more_contestants_than_styles_the_best_are_named_and_the_rest_are_grey(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(pictures, "_save", lambda figure, path: drawn.append(figure))
    settings = Settings("mlp", epochs=1, seeds=1, rates=(0.1,), common_rate=0.1)
    results = []
    for i in range(len(pictures.STYLES) + 2):
        losses = np.array([[[2.0, 1.0 + i / 100]]])
        results.append(Result(f"number {i}", settings, Metrics(losses, losses, losses), 22, 1e-4, 8.0))
    pictures.draw_losses(tmp_path / "loss.png", results, tuned=True)
    (axes,) = drawn[0].axes
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[0] == "2 others" and len(texts) == len(pictures.STYLES) + 1
    assert texts[-1] == "number 0, rate 0.1"
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == len(pictures.STYLES) + 1
