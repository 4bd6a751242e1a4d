"""The `plot` and `describe` commands, and the curve of a schedule in a notebook."""

import matplotlib.image
import numpy as np
import pytest

import gradtx
from gradtx.__main__ import main


def test_the_plot_command_draws_the_schedule_over_its_own_steps(tmp_path, capsys):
    out = tmp_path / "schedule.png"
    assert main(["plot", "warmup_cosine(3e-4, 100, 1000)", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    assert matplotlib.image.imread(out).std() > 0.01


def test_the_curve_is_the_value_at_each_step():
    (line,) = gradtx.plot(gradtx.linear(1.0, 0.0, 50), steps=100).axes[0].lines
    np.testing.assert_allclose(line.get_ydata(), np.interp(line.get_xdata(), [0, 50], [1, 0]), atol=1e-6)
    assert line.get_xdata()[-1] == 100


def test_a_schedule_draws_itself_in_a_notebook_with_its_call():
    html = (0.5 * gradtx.warmup(1.0, 10))._repr_html_()
    assert "warmup(" in html and html.rstrip().endswith("</svg>")
    assert gradtx.plateau(0.1)._repr_html_() is None  # it has no curve


def test_what_is_no_schedule_has_no_curve():
    with pytest.raises(TypeError, match="is no schedule and has no curve"):
        gradtx.plot(gradtx.adam(0.1))
    with pytest.raises(SystemExit, match="plot: adam"):
        main(["plot", "adam(0.1)"])


def test_the_describe_command_shows_stages_and_bytes(capsys):
    assert main(["describe", "adamw(3e-4)", "--params", "embed/table=100x8:bfloat16", "scale="]) == 0
    out = capsys.readouterr().out
    assert "track_moments" in out
    assert "801 numbers of 1.6 KiB, with a state of 6.3 KiB" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [(["adamw(3"], "describe: "), (["adam(0.1)", "--params", "w"], "'w' is no parameter; expected PATH=SHAPE")],
)
def test_the_describe_command_says_what_is_wrong(words, message):
    with pytest.raises(SystemExit, match=message):
        main(["describe", *words])
