import pandas as pd
import pytest
import torch

from cftrain.data.encoding import fit_codec
from cftrain.data.relations.declared import related
from cftrain.data.relations.rows import broken_by, check_rows
from cftrain.errors import ConfigError, DataError
from tests.advice import lending


def limits(*texts):
    return related(lending.constraints(), texts, lending.codec(), key="data.relations")


def test_without_relations_the_constraints_are_the_same_object():
    plain = lending.constraints()
    assert related(plain, (), lending.codec(), key="data.relations") is plain


def test_inputs_break_a_relation_where_raw_rows_do():
    related_limits, codec = limits("2*age <= debt - 100"), lending.codec()
    raw = lending.frame(5, 200)
    inputs = codec.encode(raw).unsqueeze(0)
    (found,) = related_limits.relations.broken(inputs)
    assert found.tolist() == (2 * raw["age"] > raw["debt"] - 100).tolist()
    exact = broken_by(raw, related_limits.relations, codec)[:, 0]
    assert exact.tolist() == found.tolist()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["agee <= 3"], "did you mean 'age'"),
        (["job <= 3"], "got the category 'job', whose levels have no unit"),
        (["`job=nurse` <= 3"], "name the whole column, 'job'"),
        (["age * debt <= 3"], "a product of columns"),
        (["age >= 95"], "that a row within the domain can obey, got 'age >= 95'"),
        (["age >= 60", "age <= 50"], "which contradict each other there"),
    ],
)
def test_what_cannot_be_obeyed_is_refused(texts, said):
    with pytest.raises(ConfigError) as mistake:
        limits(*texts)
    assert said in str(mistake.value)
    assert str(mistake.value).startswith("data.relations: ")


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ConfigError) as mistake:
        limits("agee <= 3", "a < 2", "job <= age")
    assert len(mistake.value.mistakes) == 3


def test_rows_that_break_a_relation_are_counted():
    raw = lending.frame(5, 20).assign(age=30)
    raw.loc[[4, 9], "age"] = 70
    with pytest.raises(DataError, match=r"got 2 of 20 that break it, the first row 4"):
        check_rows(raw, limits("age <= 60").relations, lending.codec())


def test_dates_are_related_in_days_and_missing_values_break_nothing():
    raw = pd.DataFrame(
        {
            "born": ["2000-01-01", "2001-01-05", "2002-01-01", "2003-02-01"],
            "hired": ["2020-01-01", None, "2001-01-01", "2024-01-01"],
        }
    )
    codec = fit_codec(
        raw,
        {"born": "date", "hired": "date"},
        levels={},
        standardise=True,
        imputed=["hired"],
    )
    box = lending.constraints()
    free = torch.ones(3, dtype=torch.bool)
    wide = torch.full((3,), 100.0)
    box = type(box)(lower=-wide, upper=wide, may_increase=free, may_decrease=free)
    found = related(box, ["hired >= born + 365"], codec, key="data.relations")
    assert broken_by(raw, found.relations, codec)[:, 0].tolist() == [
        False,
        False,
        True,
        False,
    ]
    inputs = codec.encode(raw).unsqueeze(0)
    assert found.relations.broken(inputs).tolist() == [[False, False, True, False]]
