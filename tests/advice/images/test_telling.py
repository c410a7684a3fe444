"""Images are told and drawn as such, in text and on a page."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cftrain.advice.advice import advise
from cftrain.advice.formats.text import text
from cftrain.advice.images.changes import pixel_changes
from cftrain.advice.images.overall import pixel_shares
from cftrain.advice.overview.gathering import Gathering
from cftrain.advice.overview.text import overview_text
from cftrain.advice.pages.page import page
from cftrain.data.told import as_given
from tests.advice.images import imaging
from tests.advice.pages.test_page import Parsed


def told(advisor, rows=None, **options):
    inputs = imaging.rows() if rows is None else rows
    options = {"target": 1, "count": 1} | options
    given = as_given(advisor.codec.decode(inputs), advisor.codec)
    return list(advise(advisor, given, domain=advisor.constraints, **options))


def shown(advisor, advice, **options):
    gathering = Gathering(grouping=None)
    options = {"data": "tiny", "about": (), "with_cards": True} | options
    return page(advisor, advice, gathering, **options)


def images(html):
    """Every picture of a page, in its order, by another program."""
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
        for content in re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_card_shows_the_row_its_answer_the_change_and_the_nearest(channels):
    advisor = imaging.advisor(0, 5, channels=channels)
    lost = [each for each in told(advisor, imaging.rows(8, channels)) if each.answers]
    html = shown(advisor, lost[:1])
    _, _, before, after, change, near = images(html)
    (answer,) = lost[0].answers
    form = advisor.image
    expected = pixel_changes(form, lost[0].given, answer)
    assert np.array_equal(before.reshape(form.shape), form.pixels(lost[0].given))
    assert np.array_equal(after.reshape(form.shape), expected.after)
    assert np.array_equal(near.reshape(form.shape), form.pixels(answer.nearest))
    assert np.array_equal(change[..., 3] > 0, np.rint(expected.brighter) != 0)
    assert "pixel_" not in html
    assert expected.text() in html
    found = Parsed(html)
    sources = [value for name, value in found.attributes if name == "src"]
    assert all(value.startswith("data:image/png;base64,") for value in sources)
    assert found.tags.count("img") == found.tags.count("figcaption") == len(sources)


def test_changes_are_those_of_the_values():
    advisor = imaging.advisor(0, 5)
    for each in told(advisor):
        for answer in each.answers:
            found = pixel_changes(advisor.image, each.given, answer)
            assert found.changed.sum() == len(answer.changes)
            by = [change.by for change in answer.changes]
            assert found.brighter.sum() == pytest.approx(sum(by))
            assert f"{len(by)} of 54 pixels change" in found.text()
            assert f"and {max(map(abs, by)):.0f} at most" in found.text()


def test_text_has_drawings_and_no_names_of_pixels():
    advisor = imaging.advisor(0, 5)
    lines = [text(each, advisor.image) for each in told(advisor)]
    assert any("answer: light" in each for each in lines)
    assert not any("pixel_" in each for each in lines)
    assert max(len(line) for each in lines for line in each.splitlines()) <= 80


def test_another_answer_leaves_the_part_alone_that_changed_most():
    """All weight is in the first and in the last ninth of the image."""
    advisor = imaging.advisor(0, 53)
    found = [each for each in told(advisor, count=2) if len(each.answers) == 2]
    assert found
    for each in found:
        one, other = each.answers
        first = max(one.changes, key=lambda change: abs(change.by)).column
        last = {"pixel_0_0": "pixel_5_8", "pixel_5_8": "pixel_0_0"}
        moved = {change.column for change in other.changes}
        assert first not in moved
        assert moved <= {last[first]}


def test_who_has_no_answer_is_told_of_all_held_pixels_together():
    advisor = imaging.advisor(0, held=(0,))
    lost = [each for each in told(advisor) if each.decision == "dark"]
    assert lost
    for each in lost:
        assert each.answers == ()
        assert "if the pixels that are held could move freely" in each.reason
        assert "given, decided dark" in shown(advisor, [each])


def test_values_outside_are_counted():
    advisor = imaging.advisor(0)
    rows = imaging.rows(2)
    rows[0, 3:7] = 1.5
    one, other = told(advisor, rows)
    assert other.notes == ()
    (note,) = one.notes
    assert note.endswith("the domain of the training; so are 3 other values")


def test_many_answers_come_to_one_picture():
    advisor = imaging.advisor(0, 5)
    gathering = Gathering(grouping=None)
    answers = [a for each in gathering.passed(told(advisor)) for a in each.answers]
    overview = gathering.overview()
    found = pixel_shares(advisor.image, overview.columns)
    counts = np.zeros(54)
    for answer in answers:
        for change in answer.changes:
            counts[list(advisor.codec.inputs).index(change.column)] += 1
    assert found.shares.ravel() == pytest.approx(counts / len(answers))
    assert (found.brighter > 0).sum() <= 2
    lines = overview_text(overview, advisor.image)
    assert "pixel_" not in lines
    assert found.text().split(";")[0] in " ".join(lines.split())
    share, _ = images(shown(advisor, told(advisor), with_cards=False))
    assert share[..., 3] == pytest.approx(255 * found.shares, abs=0.5)
