"""The page that holds everything."""

import pytest

from cftrain.errors import ResultError
from cftrain.summary.figures.picture import Picture
from cftrain.summary.report_page import Example, report_page
from tests.summary.tables.formats.test_formats import TABLE, Cells


def test_the_report_needs_no_other_file(tmp_path):
    image = tmp_path / "figure.png"
    image.write_bytes(b"picture")
    picture = Picture(
        title="Some figure",
        caption="Of <it>.",
        files=[image, image.with_suffix(".pdf")],
    )
    example = Example(title="Some rows", text="row 1: <no>")
    page = report_page(
        [TABLE, TABLE],
        [picture],
        examples=[example],
        origin=[("command", "cftrain tables a&b")],
    )
    found = Cells(page)
    assert found.tags.count("table") == 2
    assert found.tags.count("img") == 1
    assert not {"script", "link"} & set(found.tags)
    assert 'src="data:image/png;base64,cGljdHVyZQ=="' in page
    assert 'href="#figure-1"' in page
    assert 'id="figure-1"' in page
    assert "<pre>row 1: &lt;no&gt;</pre>" in page
    assert 'href="#example-1"' in page
    assert "<dt>command</dt><dd>cftrain tables a&amp;b</dd>" in page
    assert "http" not in page.replace("http-equiv", "")
    assert str(tmp_path) not in page


def test_a_picture_that_is_gone_is_one_message(tmp_path):
    gone = Picture(title="t", caption="c", files=[tmp_path / "gone.png"])
    with pytest.raises(ResultError, match=r"gone\.png: could not be read"):
        report_page([], [gone], examples=[], origin=[])
