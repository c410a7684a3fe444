"""`cftrain explain threshold=...`: told with every decision, and refused if it is none.

What it does to answers is in `tests/advice/test_cutoff.py`.
"""

import json
from pathlib import Path

import pandas as pd
import pytest

from cftrain.advice.stored import chosen_cell, stored_model
from cftrain.results.store import Store
from tests.advice.lent import trained
from tests.console import Outcome, call

ROWS = ("rows=applicants.csv", "target=yes")
HIGH = ("threshold=0.9", "positive=yes")


@pytest.fixture(scope="module")
def lent(tmp_path_factory) -> Path:
    """A folder with two trained seeds, run from beside its table."""
    return trained(tmp_path_factory.mktemp("lending"))


def explain(lent, *words) -> Outcome:
    words = ("explain", "outputs/all", *words)
    return call(*words, cwd=lent, CFTRAIN_DATA=str(lent))


@pytest.mark.parametrize(
    "words",
    [
        ("format=text", "count=2"),
        ("format=json", "count=2"),
        ("format=csv",),
        ("summary=true", "groups=sex"),
        ("summary=true", "format=json"),
    ],
)
def test_one_half_is_what_there_is_without(words, lent):
    plain = explain(lent, *ROWS, *words)
    assert plain.code == 0
    assert explain(lent, *ROWS, *words, "threshold=0.5") == plain
    assert "cutoff" not in plain.out


def test_it_is_told_with_every_decision(lent):
    told = explain(lent, *ROWS, *HIGH)
    assert told.out.count("; yes from 90% on); wanted: yes") == 12
    assert told.err == ""
    page = explain(lent, *ROWS, *HIGH, "format=html").out
    assert page.count("; yes from 90% on)</b>") == 12
    assert "<dt>decided</dt><dd>yes from 90% on</dd>" in page
    summary = explain(lent, *ROWS, *HIGH, "summary=true").out
    assert "decided            yes from 90% on\n" in summary
    expected = {"positive": "yes", "threshold": 0.9}
    for line in explain(lent, *ROWS, *HIGH, "format=json").out.splitlines():
        assert json.loads(line)["cutoff"] == expected
    whole = explain(lent, *ROWS, *HIGH, "format=json", "summary=true").out
    assert json.loads(whole)["cutoff"] == expected


@pytest.mark.parametrize(("target", "most"), [("yes", 1.0), ("no", 0.1)])
def test_answers_hold_when_the_printed_rows_are_judged_again(
    target, most, lent, monkeypatch
):
    """By the stored model itself, from raw values: no shift anywhere."""
    monkeypatch.setenv("CFTRAIN_DATA", str(lent))
    store = Store(lent / "outputs/all")
    model = stored_model(store, str(chosen_cell(store.cells(), None)["cell"]))
    words = ("test_rows=50", f"target={target}", "format=json", *HIGH)
    judged = 0
    for line in explain(lent, *words).out.splitlines():
        each = json.loads(line)
        for answer in each["answers"]:
            after = {change["column"]: change["after"] for change in answer["changes"]}
            inputs = model.codec.encode(pd.DataFrame([each["given"] | after]))
            logits = model.model(inputs.unsqueeze(0))[0]
            own = logits.softmax(-1)[0, model.class_names.index(target)]
            assert own >= (0.9 if target == "yes" else most)
            assert float(own) == pytest.approx(answer["probability"], abs=1e-6)
            judged += 1
    assert judged > 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("threshold=0",), "explain.threshold: expected a number in (0, 1), got 0"),
        (("threshold=1",), "explain.threshold: expected a number in (0, 1), got 1"),
        (("threshold=nan",), "explain.threshold: expected a number in (0, 1), got nan"),
        (("threshold=high",), "explain.threshold: expected a number in (0, 1), got"),
        (("threshold=0.8", "positive=maybe"), "positive: expected one of the classes"),
        (("positive=yes",), "positive: expected a threshold beside it, got null"),
    ],
)
def test_what_is_no_threshold_is_refused(words, said, lent):
    assert explain(lent, *ROWS, *words).message.startswith(said)
