import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cftrain.advice.advice import advise
from cftrain.advice.overview.gathering import Gathering
from cftrain.advice.overview.grouping import Grouping, grouping
from cftrain.advice.overview.overview import Spread
from cftrain.advice.overview.text import overview_text
from cftrain.data.told import as_given
from cftrain.errors import ConfigError
from cftrain.summary.statistics.intervals import bootstrap_interval
from tests.advice import lending
from tests.advice.telling import advice, change

BY_SEX = Grouping(column="sex", edges=None)


def gathered(*told, groups=None):
    gathering = Gathering(grouping=groups)
    assert list(gathering.passed(told)) == list(told)
    return gathering.overview()


def test_it_is_what_a_table_of_the_answers_says():
    """Against pandas, over all first answers."""
    advisor = lending.advisor({"debt": -2.0, "age": 1.0, "job=nurse": 2.0})
    rows = as_given(lending.frame(4, 60), advisor.codec)
    labels = ["f", "m"] * 30
    told = list(advise(advisor, rows, target=1, count=2, groups=labels))
    found = gathered(*told, groups=BY_SEX)
    firsts = [(each, each.answers[0]) for each in told if each.answers]
    changes = pd.DataFrame(
        [vars(c) | {"row": each.row} for each, a in firsts for c in a.changes]
    )
    assert found.rows == 60
    assert found.needed == sum(each.decision != "yes" for each in told)
    assert 10 < found.answered == len(firsts) <= found.needed
    assert found.there == 60 - found.needed
    assert found.firm == sum(answer.firm for _, answer in firsts)
    further = sum(len(each.answers) for each in told) - len(firsts)
    assert found.further == further > 0
    said = f"the first answer of a row; {further} further ones are not"
    assert said in overview_text(found, None)
    alone = [replace(each, answers=each.answers[:1]) for each in told]
    assert "counted here" not in overview_text(gathered(*alone), None)
    assert {c.column: c.count for c in found.columns} == dict(
        changes["column"].value_counts()
    )
    by = changes.loc[changes["column"] == "debt", "by"].astype(float)
    (debt,) = (column for column in found.columns if column.column == "debt")
    assert debt.up == (by > 0).mean()
    low, median, high = by.quantile([0.25, 0.5, 0.75])
    assert debt.amount == Spread(low=low, median=median, high=high)
    assert debt.share == len(by) / len(firsts)
    (job,) = (column for column in found.columns if column.column == "job")
    assert (job.up, job.amount) == (None, None)
    assert sum(move.share for move in job.moves) == pytest.approx(1)
    for burden in found.groups:
        own = [(e, a) for e, a in firsts if e.group == burden.group]
        needed = [e for e in told if e.group == burden.group and e.decision != "yes"]
        assert (burden.needed, burden.answered) == (len(needed), len(own))
        assert burden.cost == bootstrap_interval([answer.cost for _, answer in own])
        share = bootstrap_interval([float(bool(each.answers)) for each in needed])
        assert burden.share == share


def test_groups_that_are_small_are_told():
    told = [advice(change("debt", 9, 5), group="f") for _ in range(30)]
    told += [advice(change("debt", 9, 5), group="m") for _ in range(29)]
    told += [advice(decision="yes", reason="already there", group="m")] * 40
    found = gathered(*told, groups=BY_SEX)
    assert [(b.group, b.rows, b.few) for b in found.groups] == [
        ("f", 30, False),
        ("m", 69, True),
    ]
    assert "fewer than 30 rows need an answer in m:" in overview_text(found, None)


def test_text_and_json_say_what_has_to_change():
    told = [advice(change("debt", 9, 9 - by), cost=by) for by in (1, 2, 3, 4, 5)]
    told += [advice(reason="not reached"), advice(change("job", "baker", "nurse"))]
    text = overview_text(gathered(*told), None)
    assert "6 of 7 others (86%: validity as told)" in text
    assert "debt" in text
    assert "83%   down 100%    -3 (-4 to -2)" in text
    assert "baker -> nurse 100%" in text
    read = json.loads(json.dumps(gathered(*told), default=vars))
    assert read["columns"][0]["amount"] == {"low": -4, "median": -3, "high": -2}


def test_nobody_who_needs_an_answer_is_no_mistake():
    there = advice(decision="yes", reason="already there", group="f")
    assert "already there  1" in overview_text(gathered(there, groups=BY_SEX), None)
    lost = advice(reason="not reached", group="f")
    assert "0 of 1 others (0%" in overview_text(gathered(lost, groups=BY_SEX), None)


def test_numbers_that_the_model_knows_are_cut_at_their_quartiles():
    advisor = lending.advisor({})
    ages = lending.frame()["age"]
    found = grouping(advisor, "age").labels(ages)
    counts = pd.Series(found).value_counts()
    assert len(counts) == 4
    assert all(30 < count < 70 for count in counts)
    for age, name in zip(ages, found, strict=True):
        numbers = [float(word) for word in name.split() if word.isdigit()]
        if name.startswith("over"):
            assert age > numbers[0]
        if "to" in name.split():
            assert age <= numbers[-1]


def test_missing_numbers_are_a_group_of_their_own():
    quartered = Grouping(column="debt", edges=(0.0, 1.5, 3.0))
    found = quartered.labels(pd.Series([0, None, 1.5, 4, np.nan, 1.6]))
    assert found == [
        *("up to 0", "(missing)", "over 0 to 1.5"),
        *("over 3", "(missing)", "over 1.5 to 3"),
    ]
    assert quartered.order(set(found))[-2:] == ["over 3", "(missing)"]


def test_other_columns_are_grouped_by_what_is_written():
    values = pd.Series(["f", "", None, np.nan, "<b>", 1])
    found = grouping(lending.advisor({}), "sex").labels(values)
    assert found == ["f", *["(missing)"] * 3, "<b>", "1"]


def test_too_many_groups_are_refused():
    gathering = Gathering(grouping=BY_SEX)
    for number in range(50):
        gathering.add(advice(reason="r", group=str(number)))
    with pytest.raises(ConfigError, match="at most 50 different values, got 'sex'"):
        gathering.add(advice(reason="r", group="one more"))
