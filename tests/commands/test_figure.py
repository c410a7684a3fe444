"""`cftrain figure`."""

import pytest

from cftrain.commands.command_line.lines import PICTURES
from tests.console import call

QUICK = ("schedule.epochs=2", "schedule.counterfactuals=60", "factuals=3", "seeds=2")


@pytest.mark.parametrize("picture", list(PICTURES))
def test_a_figure_is_drawn_where_the_run_directory_is(picture, tmp_path):
    outcome = call("figure", picture, *QUICK, cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    for kind in ("png", "pdf"):
        assert (tmp_path / "outputs" / "figures" / f"{picture}.{kind}").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("constraints", "feature=income"), "feature: expected one of age, debt"),
        (("protection", "seeds=0"), "seeds: expected a whole number >= 1"),
        (
            ("picture=map",),
            "picture: expected one of constraints, protection, boundary",
        ),
        (("boundary", "compare=none"), "2 classes and compare=None"),
        (("boundary", "+experiment=mnist"), "got 784 features, 10 classes"),
        (
            ("constraints", "+experiment=moons", "feature=x1", "compare=none"),
            "an objective to compare with",
        ),
    ],
)
def test_what_cannot_be_drawn_is_one_message(words, said, tmp_path):
    assert said in call("figure", *words, *QUICK[:3], cwd=tmp_path).message
