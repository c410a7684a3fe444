from dataclasses import replace
from decimal import Decimal

import pandas as pd
import pytest
import torch

from cftrain.advice import advice as module
from cftrain.advice.advice import advise
from cftrain.data.relations.declared import related
from cftrain.data.told import as_given
from tests.advice import lending

WEIGHTS = {"debt": -2.0, "age": 1.0, "rate": 1.5, "job=nurse": 2.0}


def given(advisor, seed=1, rows=40, **values):
    return as_given(lending.frame(seed, rows).assign(**values), advisor.codec)


def printed(advice, answer):
    """The row that a person reads."""
    changed = {change.column: change.after for change in answer.changes}
    return pd.DataFrame([{**advice.given, **changed}])


@pytest.mark.parametrize("mutability", [{}, {"age": "increase", "job": "immutable"}])
def test_every_answer_holds_as_printed(mutability):
    """Judged again from its raw values, by the model and in raw units."""
    advisor = lending.advisor(WEIGHTS, **mutability)
    found = list(advise(advisor, given(advisor, debt=999.0), target=None, count=3))
    answers = [(each, answer) for each in found for answer in each.answers]
    assert len(answers) > 40
    for each, answer in answers:
        row = printed(each, answer)
        target = torch.tensor([advisor.class_of(each.target)])
        judged = advisor.judged(advisor.codec.encode(row), target)
        assert judged.reached.all()
        probability = float(judged.probability)
        assert probability == pytest.approx(answer.probability, abs=1e-6)
        assert answer.firm == (probability >= 0.75)
        for change in answer.changes:
            assert change.before == each.given[change.column]
            if mutability and change.column == "age":
                assert change.after > change.before
            assert not (mutability and change.column == "job")


def test_rows_do_not_depend_on_their_neighbours(monkeypatch):
    advisor = lending.advisor(WEIGHTS)
    rows = given(advisor, debt=999.0)
    whole = list(advise(advisor, rows, target=None, count=2))
    monkeypatch.setattr(module, "PORTION", 7)
    found = list(advise(advisor, rows, target=None, count=2))
    assert [each.row for each in found] == list(range(40))
    assert [asked(each) for each in found] == [asked(each) for each in whole]
    for each, other in zip(found, whole, strict=True):
        assert each.probability == pytest.approx(other.probability, rel=1e-5)


def asked(advice):
    """What a person is asked to change."""
    return advice.reason, [answer.changes for answer in advice.answers]


def test_other_answers_do_without_the_largest_change():
    advisor = lending.advisor({"debt": -6.0, "rate": 4.0})
    for each in advise(advisor, given(advisor, debt=999.0), target=1, count=2):
        first, *others = each.answers
        for answer in others:
            columns = {change.column for change in answer.changes}
            assert columns != {change.column for change in first.changes}


def test_who_has_what_he_wants_is_told_so():
    advisor = lending.advisor({"debt": -8.0})
    (each,) = advise(advisor, given(advisor, rows=1, debt=1.0), target=1, count=1)
    assert (each.decision, each.target) == ("yes", "yes")
    assert each.answers == ()
    assert each.reason == "already there"


def test_the_protected_column_that_would_help_is_named():
    advisor = lending.advisor({"debt": -8.0, "age": 0.01}, debt="immutable")
    (each,) = advise(advisor, given(advisor, rows=1, debt=999.0), target=1, count=1)
    assert each.answers == ()
    assert each.reason.startswith("not reached in 60 steps: the probability went from")
    assert each.reason.endswith("it would be if debt could move freely")


def test_out_of_steps_is_a_reason():
    advisor = lending.advisor({"debt": -8.0}, steps=1)
    (each,) = advise(advisor, given(advisor, rows=1, debt=999.0), target=1, count=1)
    assert each.reason.startswith("not reached in 1 steps")
    assert "freely" not in each.reason


def test_the_target_is_the_other_class_unless_named():
    advisor = lending.advisor({"debt": -8.0})
    for each in advise(advisor, given(advisor), target=None, count=1):
        assert {each.decision, each.target} == {"no", "yes"}


def test_support_is_what_it_says():
    """Against counts over all observed rows and models."""
    advisor = lending.advisor({"debt": -8.0})
    advisor = lending.with_others(advisor, agree=3, disagree=1)
    members = advisor.reference.features[advisor.reference.labels == 1]
    own = torch.cdist(members, members, p=1).mean(1)
    for each in advise(advisor, given(advisor, debt=999.0), target=1, count=1):
        (answer,) = each.answers
        inputs = advisor.codec.encode(printed(each, answer))
        distances = torch.cdist(inputs, members, p=1)[0]
        farther = float((own < distances.mean()).float().mean())
        assert answer.farther_than == pytest.approx(farther, abs=0.011)
        near = members[distances.argmin()].unsqueeze(0)
        assert answer.nearest == advisor.codec.decode(near).iloc[0].to_dict()
        before = advisor.codec.encode(pd.DataFrame([each.given]))
        assert answer.cost == pytest.approx(float((inputs - before).abs().sum()), 1e-5)
        assert answer.other_models == 0.75
        assert 0 <= answer.under_noise <= 1


def test_answers_that_barely_hold_give_way_under_noise():
    sure = lending.advisor({"debt": -8.0})
    bare = replace(sure, search=replace(sure.search, maturity=threshold(0.5)))
    rows = given(sure, debt=999.0)
    shares = [
        [
            answer.under_noise
            for each in advise(advisor, rows, target=1, count=1)
            for answer in each.answers
        ]
        for advisor in (bare, sure)
    ]
    assert sum(shares[0]) / len(shares[0]) <= sum(shares[1]) / len(shares[1])


@pytest.mark.parametrize("sparse", [True, False])
def test_who_is_outside_the_domain_may_stay_there(sparse):
    """Age counts against the wanted class a little; nobody is asked to be younger."""
    advisor = replace(lending.advisor({"debt": -8.0, "age": -0.1}), sparse=sparse)
    rows = given(advisor, debt=999.0, age=120)
    told = list(advise(advisor, rows, target=1, count=1, domain=advisor.constraints))
    for each in told:
        assert each.notes == (
            "age 120 is outside 18 to 90, the domain of the training",
        )
        (answer,) = each.answers
        changed = {change.column: change.after for change in answer.changes}
        assert "debt" in changed
        # A search brings age into its domain; as a change it is needless.
        assert changed.get("age", 0) <= 90
        assert ("age" in changed) != sparse


def with_relations(advisor, *texts):
    limits = related(advisor.constraints, texts, advisor.codec, key="relations")
    return replace(advisor, constraints=limits)


@pytest.mark.parametrize("sparse", [True, False])
def test_answers_obey_relations_exactly(sparse):
    """Years and cents: a lower debt has to come with a lower age."""
    advisor = replace(lending.advisor(WEIGHTS), sparse=sparse)
    advisor = with_relations(advisor, "0.1*age + 0.05 * debt <= 52.5", "age <= debt")
    rows = given(advisor, debt=999.0, age=20)
    found = list(advise(advisor, rows, target=1, count=1))
    answers = [(each, answer) for each in found for answer in each.answers]
    assert len(answers) > 10
    for each, answer in answers:
        row = printed(each, answer).iloc[0]
        age, debt = Decimal(repr(float(row["age"]))), Decimal(repr(float(row["debt"])))
        assert Decimal("0.1") * age + Decimal("0.05") * debt <= Decimal("52.5")
        assert age <= debt


def test_the_relation_in_the_way_is_named():
    advisor = with_relations(lending.advisor({"debt": -8.0}), "debt >= 900")
    (each,) = advise(advisor, given(advisor, rows=1, debt=999.0), target=1, count=1)
    assert each.answers == ()
    assert each.reason.endswith("it would have to break debt >= 900")


def test_a_row_that_breaks_a_relation_itself_is_noted_and_its_answers_obey():
    advisor = with_relations(lending.advisor({"debt": -8.0}), "age <= 30")
    rows = given(advisor, rows=5, debt=999.0, age=60)
    for each in advise(advisor, rows, target=1, count=1):
        (note,) = each.notes
        assert note == "the row itself breaks age <= 30, which every answer obeys"
        (answer,) = each.answers
        assert {"age": 30}.items() <= {
            c.column: c.after for c in answer.changes
        }.items()


def threshold(value):
    return replace(lending.advisor({}).search.maturity, threshold=value)
