"""The gap to what observed rows score, in closed form."""

import pytest

from cftrain.summary.statistics.floor import at_floor, gap_closed


@pytest.mark.parametrize(
    ("baseline", "floor", "expected"),
    [(3.0, 2.0, False), (3.0, 2.95, True), (3.0, 3.5, True), (-0.1, 0.0, True)],
)
def test_a_baseline_stands_at_the_floor(baseline, floor, expected):
    assert at_floor(baseline, floor) == expected


def test_the_gap_is_closed_at_the_floor_and_more_below():
    assert gap_closed(3.0, 3.0, 2.0) == 0
    assert gap_closed(2.0, 3.0, 2.0) == 100
    assert gap_closed(1.5, 3.0, 2.0) == 150
