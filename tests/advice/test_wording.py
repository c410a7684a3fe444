"""What people read is never more than what was judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cftrain.advice.formats.text import text
from cftrain.advice.pages.card import card
from cftrain.advice.wording import (
    least_probability_text,
    probability_text,
    share_text,
)
from tests.advice.telling import advice, change


@pytest.mark.parametrize(
    ("probability", "told"),
    [
        (0.0, "<1%"),
        (0.004, "<1%"),
        (0.006, "1%"),
        (0.5, "50%"),
        (0.994, "99%"),
        (0.996, ">99%"),
        (1.0, ">99%"),
    ],
)
def test_no_probability_is_told_as_certain(probability, told):
    assert probability_text(probability) == told


@given(st.floats(0, 1))
def test_what_was_not_enough_is_not_told_as_more_than_it_is(probability):
    told = least_probability_text(probability)
    whole = 0 if told == "<1%" else int(told.removesuffix("%").removeprefix(">"))
    assert whole <= 100 * probability < whole + 1 or probability == 1


def test_all_draws_may_hold_and_nearly_all_are_told_as_such():
    assert [share_text(share) for share in (1, 0.996, 0)] == ["100%", ">99%", "0%"]


@pytest.mark.parametrize("probability", [0.996, 1.0])
def test_a_terminal_and_a_page_tell_the_same(probability):
    each = advice(change("debt", -5, 7), probability=probability)
    assert "(probability >99%)" in text(each, None)
    assert "answer 1: probability >99%" in text(each, None)
    assert card(each, {}, None).count("(&gt;99%)") == 2
