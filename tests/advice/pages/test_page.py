import base64
import hashlib
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from cftrain.advice.advice import advise
from cftrain.advice.overview.gathering import Gathering
from cftrain.advice.overview.grouping import Grouping
from cftrain.advice.pages import page as module
from cftrain.advice.pages.page import page
from cftrain.data.told import as_given
from tests.advice import lending
from tests.advice.telling import advice, change

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "</title>&lt;b&gt;",
    "=cmd()",
    "' onload='alert(1)",
)
TAGS = """html head meta title style body h1 h2 h3 h4 p b i dl div dt dd table thead
tbody tr th td article span svg line rect circle text details summary wbr
figure figcaption img"""
VOID = {"meta", "wbr", "img"}


class Parsed(HTMLParser):
    """A page as a browser reads it: open and closed tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def shown(told, *, advisor=None, groups=None, with_cards=True, name="loans"):
    return page(
        advisor or lending.advisor({}),
        told,
        Gathering(grouping=groups),
        data=name,
        about=(name,),
        with_cards=with_cards,
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_is_in_a_cell_is_text(hostile):
    """In names of columns, classes, groups and data, in levels, notes and reasons."""
    advisor = lending.advisor({})
    advisor = replace(advisor, class_names=("no", hostile))
    one = advice(
        change(hostile, hostile, f"{hostile}!"),
        change("job", hostile, "nurse"),
        decision="no",
        notes=(hostile,),
        group=hostile,
    )
    lost = advice(reason=hostile, group=hostile)
    told = [
        replace(each, target=hostile, given={hostile: hostile}) for each in (one, lost)
    ]
    text = shown(
        told,
        advisor=advisor,
        groups=Grouping(column=hostile, edges=None),
        name=hostile,
    )
    found = Parsed(text)
    assert set(found.tags) <= set(TAGS.split())
    assert found.tags.count("style") == 1
    names = {name for name, _ in found.attributes}
    assert not {"src", "href", "style"} & names
    assert not [name for name in names if name.startswith("on")]
    said = [each for each in found.texts if hostile in each]
    assert len(said) > 12


def test_the_policy_of_the_page_allows_its_own_style_and_nothing_else():
    found = Parsed(shown([advice(change("debt", 9, 5))]))
    (policy,) = (
        value
        for name, value in found.attributes
        if name == "content" and "src" in value
    )
    style = found.texts[found.texts.index("\n", 0) :]
    style = max(found.texts, key=len)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_a_card_tells_what_the_text_tells():
    advisor = lending.advisor({"debt": -2.0, "age": 1.0, "job=nurse": 2.0})
    rows = as_given(lending.frame(4, 12).assign(debt=999.25), advisor.codec)
    told = list(advise(advisor, rows, target=1, count=2))
    text = shown(told, advisor=advisor)
    found = Parsed(text)
    assert found.tags.count("article") == 12
    answers = [answer for each in told for answer in each.answers]
    changes = [each for answer in answers for each in answer.changes]
    assert len(answers) > 12
    assert found.tags.count("svg") == len(changes)
    assert text.count("→ <b>") == len(changes)
    assert text.count(">Answer 1:") == sum(bool(each.answers) for each in told)
    assert found.tags.count("details") == 12


def test_who_is_there_and_who_has_no_answer_are_told():
    there = advice(decision="yes", reason="already there")
    lost = advice(reason="not reached in 5 steps")
    text = shown([there, lost])
    assert "<p>Already there.</p>" in text
    assert "<p>No answer: not reached in 5 steps.</p>" in text


def test_what_is_not_stored_or_missing_is_left_out():
    """No observed rows, and a number that was not given."""
    one = advice(replace(change("debt", 9, 5), before=None, by=None))
    bare = replace(one.answers[0], farther_than=None, nearest=None)
    text = shown([replace(one, answers=(bare,))])
    assert "(missing) → <b>5</b></span>" in text
    assert not [
        word
        for word in ("near answer", "<dt>farther out than</dt><dd>25% of")
        if word in text
    ]


def test_a_page_of_many_rows_has_a_bounded_size(monkeypatch, unchecked):
    told = [advice(change("debt", 9, 5), row=row) for row in range(500)]
    text = shown(iter(told))
    assert text.count("<article") == 200
    assert "The first 200 of 500 rows have a card here" in text
    assert "rows</dt><dd>500 " in text
    monkeypatch.setattr(module, "MOST_SIGNS", 10_000)
    short = shown(iter(told))
    assert 2 < short.count("<article") < 20
    one = advice(*[change(f"pixel {n}", 0, 1) for n in range(784)])
    assert "and 744 more changes" in shown([one])


def test_all_rows_together_need_no_cards():
    told = [advice(change("debt", 9, 5), group="f")] * 3
    text = shown(told, groups=Grouping(column="sex", edges=None), with_cards=False)
    assert "<article" not in text
    assert "What the answers change" in text
    assert "What is asked of whom, by sex" in text
    assert "Fewer than 30 rows need an answer in f" in text
