import math

import pytest

from cftrain.config.ranges import Above, AtLeast, Between

CASES = [
    (AtLeast(0), [0, 1e-9, 7], [-1e-9, -1], "a number >= 0"),
    (Above(0), [1e-9, 7], [0, -1], "a number > 0"),
    (Between(0, 1), [1e-9, 0.5, 1 - 1e-9], [0, 1, 2, -1], "a number in (0, 1)"),
    (Between(0, 1, closed=True), [0, 0.5, 1], [-1e-9, 1.1], "a number in [0, 1]"),
]


@pytest.mark.parametrize(("numbers", "inside", "outside", "text"), CASES)
def test_ranges_know_their_numbers_and_say_so(numbers, inside, outside, text):
    assert all(numbers.holds(value) for value in inside)
    assert not any(numbers.holds(value) for value in outside)
    assert not any(numbers.holds(v) for v in (math.nan, math.inf, -math.inf))
    assert str(numbers) == text
