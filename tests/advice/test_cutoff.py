"""Another threshold than one half: judged again from what is printed."""

from copy import deepcopy
from dataclasses import replace

import pandas as pd
import pytest
import torch

from cftrain.advice.advice import Advice, advise
from cftrain.advice.advisor import Advisor
from cftrain.advice.cutoff import Cutoff, Deciding, chosen_cutoff
from cftrain.data.told import as_given
from cftrain.errors import ConfigError
from cftrain.models.stack_slicing import frozen
from tests.advice import lending
from tests.builders import mlp, normal

WEIGHTS = {"debt": -2.0, "age": 1.0, "rate": 1.5, "job=nurse": 2.0}
NAMES = ("no", "yes")


def advisor(threshold: float, positive: str = "yes", **options) -> Advisor:
    cutoff = chosen_cutoff(threshold, positive, NAMES)
    return replace(lending.advisor(WEIGHTS, **options), cutoff=cutoff)


def told(each: Advisor, target: str | None, count: int = 2, **values) -> list[Advice]:
    rows = as_given(lending.frame(1, 60).assign(**values), each.codec)
    wanted = None if target is None else each.class_of(target)
    return list(advise(each, rows, target=wanted, count=count))


def yes(each: Advisor, row: dict) -> float:
    """The model's own probability of yes, from raw values."""
    inputs = each.codec.encode(pd.DataFrame([row]))
    logits = each.model(inputs.unsqueeze(0)).detach()
    return float(logits.softmax(-1)[0, 0, 1])


def answers(found: list[Advice]) -> list[tuple[Advice, dict, float]]:
    """Every answer as a row of raw values, with its printed probability."""
    return [
        (
            each,
            each.given | {change.column: change.after for change in answer.changes},
            answer.probability,
        )
        for each in found
        for answer in each.answers
    ]


@pytest.mark.parametrize("threshold", [0.03, 0.2, 0.8, 0.97])
@pytest.mark.parametrize("target", ["yes", "no", None])
@pytest.mark.parametrize("sparse", [True, False])
def test_every_answer_is_beyond_the_threshold_as_printed(threshold, target, sparse):
    each = replace(advisor(threshold), sparse=sparse)
    found = told(each, target)
    assert {advice.decision for advice in found} == {"no", "yes"}
    reported = answers(found)
    assert len(reported) >= 8
    for advice, row, probability in reported:
        own = yes(each, row)
        if advice.target == "yes":
            assert own >= threshold
            assert own == pytest.approx(probability, abs=1e-6)
        else:
            assert own < threshold
            assert 1 - own == pytest.approx(probability, abs=1e-6)


@pytest.mark.parametrize("threshold", [0.2, 0.8])
def test_the_decision_and_its_probability_are_the_models_own(threshold):
    each = advisor(threshold)
    between = 0
    for advice in told(each, "yes"):
        own = yes(each, advice.given)
        assert advice.decision == ("yes" if own >= threshold else "no")
        expected = own if advice.decision == "yes" else 1 - own
        assert advice.probability == pytest.approx(expected, abs=1e-6)
        between += advice.probability < 0.5
        assert (advice.reason == "already there") == (own >= threshold)
    assert between > 3


def test_even_odds_are_no_threshold():
    assert chosen_cutoff(0.5, "no", NAMES) is None
    plain = lending.advisor(WEIGHTS)
    assert told(advisor(0.5), None) == told(plain, None)
    # And the shifted logits come to the same decisions.
    even = replace(plain, cutoff=Cutoff(positive="yes", threshold=0.5))
    found = [replace(each, cutoff=None) for each in told(even, None)]
    expected = told(plain, None)
    assert [each.decision for each in found] == [each.decision for each in expected]
    assert [asked(each) for each in found] == [asked(each) for each in expected]


def asked(advice: Advice) -> list:
    return [answer.changes for answer in advice.answers]


def test_either_class_may_be_the_positive_one():
    for target in ("yes", "no"):
        found = told(advisor(0.8, "yes"), target)
        other = told(advisor(0.2, "no"), target)
        assert [each.decision for each in found] == [each.decision for each in other]
        assert [asked(each) for each in found] == [asked(each) for each in other]


def test_the_stopping_rule_is_held_against_shifted_probabilities():
    """0.75 of them, at a threshold of 0.8, is 12 / 13 of the model's own."""
    least = 12 / 13
    for each in told(advisor(0.8), "yes"):
        for answer in each.answers:
            assert answer.firm == (answer.probability >= least)


def test_other_seeds_are_judged_by_the_same_threshold():
    each = lending.with_others(advisor(0.97), agree=2, disagree=1)
    shares = [
        answer.other_models for advice in told(each, "yes") for answer in advice.answers
    ]
    assert shares == pytest.approx([2 / 3] * len(shares))
    # A model that is less sure of everything says yes to hardly any of them.
    unsure = replace(each, others=deepcopy(each.model))
    with torch.no_grad():
        for parameter in unsure.others.parameters():
            parameter.mul_(0.3)
    shares = [
        answer.other_models
        for advice in told(unsure, "yes")
        for answer in advice.answers
    ]
    assert sum(shares) / len(shares) < 0.2


def test_noise_is_judged_by_the_same_threshold():
    """Copies of an answer just above the threshold often fall below it."""
    bare = advisor(0.97)
    bare = replace(bare, search=replace(bare.search, maturity=at(bare, 0.5)))
    shares = [
        answer.under_noise
        for advice in told(bare, "yes", count=1)
        for answer in advice.answers
        if answer.probability < 0.972
    ]
    assert len(shares) > 3
    assert min(shares) < 0.9


def at(each: Advisor, threshold: float):
    return replace(each.search.maturity, threshold=threshold)


def test_the_reason_says_what_is_needed():
    each = replace(advisor(0.97, steps=1))
    for target, needed in (("yes", "97%"), ("no", "3%")):
        reasons = [
            advice.reason
            for advice in told(each, target, count=1)
            if advice.reason not in (None, "already there")
        ]
        assert reasons
        assert all(f", and {needed} is needed" in reason for reason in reasons)


def test_a_stack_is_shifted_cell_by_cell():
    model, shift = mlp(3, classes=2), torch.tensor([0.5, -1.0], dtype=torch.float64)
    rows = normal(3, 7, 4)
    whole = Deciding(model, shift)(rows)
    torch.testing.assert_close(whole, model(rows) + shift)
    for place in range(3):
        cells = slice(place, place + 1)
        alone = frozen(Deciding(model, shift), cells)(rows[cells])
        torch.testing.assert_close(alone, whole[cells])


def test_what_is_stored_holds_until_something_is_asked_for():
    stored = Cutoff(positive="no", threshold=0.8)
    assert chosen_cutoff(None, None, NAMES, stored=stored) == stored
    assert chosen_cutoff(0.5, None, NAMES, stored=stored) is None
    assert chosen_cutoff(0.7, None, NAMES, stored=stored) == Cutoff(
        positive="no", threshold=0.7
    )
    assert chosen_cutoff(0.7, "yes", NAMES, stored=stored) == Cutoff(
        positive="yes", threshold=0.7
    )
    assert chosen_cutoff(0.7, None, NAMES) == Cutoff(positive="yes", threshold=0.7)


@pytest.mark.parametrize(
    ("threshold", "positive", "names", "said"),
    [
        (0.8, None, ("a", "b", "c"), "threshold: .* two classes, got 0.8 for one of 3"),
        (0.5, None, ("a", "b", "c"), "threshold: .* two classes"),
        (0.8, "maybe", NAMES, "positive: .* 'no', 'yes', got 'maybe'"),
        (None, "yes", NAMES, "positive: expected a threshold beside it"),
    ],
)
def test_what_makes_no_sense_is_refused(threshold, positive, names, said):
    with pytest.raises(ConfigError, match=said):
        chosen_cutoff(threshold, positive, names)
