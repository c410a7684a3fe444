"""The tutorial's commands, exactly as printed, print what it shows."""

import pytest

from tests.tutorial import follow, not_printed, steps


@pytest.mark.slow
def test_the_tutorial_can_be_followed(tmp_path):
    every = list(steps())
    assert len(every) > 12
    printed = follow(every, tmp_path)
    told = zip(every, printed, strict=True)
    absent = {step.typed: not_printed(step.shown, text) for step, text in told}
    assert not any(absent.values()), absent
    for page in ("loans.html", "cancer.html"):
        assert "<script" not in (tmp_path / page).read_text(encoding="utf-8")
    card = (tmp_path / "elsewhere" / "loans_model" / "MODEL_CARD.md").read_text("utf-8")
    for line in ("| age ", "| over 57 ", "licence: made up"):
        assert line in card


def test_what_is_shown_and_was_not_printed_is_found():
    printed = (
        "row 1: no (probability 99%)\n  debt  7 -> 3 (-4)\nAUC  0.9  0.8  no change"
    )
    shown = ["row 1: no (probability 82%)", "...", "AUC  0.7  0.8  ▲  +0.1 points"]
    assert not_printed(shown, printed) == []
    assert not_printed(["  income  7 -> 3 (-4)"], printed) == ["  income  7 -> 3 (-4)"]
    assert not_printed(shown[::-1], printed) != []
