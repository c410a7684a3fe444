import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cftrain.advice.pages.picture import MARGIN, WIDTH, picture
from cftrain.advice.ranges import LevelShares, NumberRange
from tests.advice.telling import change

DEBT = NumberRange(lowest=0.0, low=10.0, median=20.0, high=40.0, highest=100.0)
NUMBERS = st.floats(-1e9, 1e9)


def drawn(text):
    """The elements of a picture by their class: well-formed, or it fails."""
    found = {}
    for element in ElementTree.fromstring(text):
        found.setdefault(element.get("class", element.tag), []).append(element)
    return found


def test_marks_stand_where_the_values_are():
    found = drawn(picture(change("debt", 100, 25), DEBT, "yes"))
    (ring,), (disc,) = found["before"], found["after"]
    assert float(ring.get("cx")) == WIDTH - MARGIN
    assert float(disc.get("cx")) == MARGIN + (WIDTH - 2 * MARGIN) / 4
    (box,) = found["half"]
    start, width = float(box.get("x")), float(box.get("width"))
    share = [(x - MARGIN) / (WIDTH - 2 * MARGIN) for x in (start, start + width)]
    assert share == pytest.approx([0.1, 0.4], abs=0.001)
    assert [text.text for text in found["text"]] == ["0", "100"]


@given(before=NUMBERS, after=NUMBERS, ends=st.lists(NUMBERS, min_size=5, max_size=5))
def test_nothing_leaves_the_picture(before, after, ends):
    """Wherever the row is, and also where all values are one."""
    names = ("lowest", "low", "median", "high", "highest")
    observed = NumberRange(**dict(zip(names, sorted(ends), strict=True)))
    text = picture(change("debt", before, after), observed, "yes")
    drawn(text)
    places = re.findall(r' (?:x|x1|x2|cx)="([^"]+)"', text)
    assert len(places) > 6
    assert all(0 <= float(place) <= WIDTH for place in places)


def test_bars_are_as_long_as_the_shares_of_both_levels():
    observed = LevelShares(shares={"baker": 0.2, "nurse": 0.5, "clerk": 0.3})
    found = drawn(picture(change("job", "baker", "nurse"), observed, "yes"))
    (whole, _) = found["track"]
    for name, share in (("bar-before", 0.2), ("bar-after", 0.5)):
        width = float(found[name][0].get("width"))
        assert width / float(whole.get("width")) == pytest.approx(share, abs=0.001)
    assert [text.text for text in found["text"]] == ["20% baker", "50% nurse"]


def test_a_level_that_nobody_has_and_hostile_names_are_drawn_as_text():
    name = '"><script>alert(1)</script>'
    text = picture(change(name, name, "x&y"), LevelShares(shares={}), name)
    assert "<script" not in text
    assert name in ElementTree.fromstring(text).get("aria-label")
    assert [each.text for each in drawn(text)["text"]] == [f"0% {name[:12]}…", "0% x&y"]


def test_a_column_without_a_range_has_no_picture():
    assert picture(change("debt", 1, 2), None, "yes") == ""
