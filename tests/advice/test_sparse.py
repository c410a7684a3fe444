import torch

from cftrain.advice.sparse import changes, without_needless
from cftrain.data.told import as_given
from tests.advice import lending


def moved(factual, **values):
    raw = factual.raw.copy()
    for name, value in values.items():
        raw[name] = value
    return as_given(raw, lending.codec())


def test_only_the_change_that_matters_stays():
    """A linear model that looks at debt alone: all else goes back."""
    advisor = lending.advisor({"debt": -8.0})
    rich = lending.frame(1, 30).assign(debt=900.0)
    factual = as_given(rich, advisor.codec)
    found = moved(factual, debt=1.0, age=50, job="nurse")
    target = torch.ones(30, dtype=torch.int64)
    back, count = without_needless(advisor, found, factual, target, None)
    names = list(advisor.codec.inputs)
    still = (changes(advisor, back, factual) > 0).nonzero()[:, 1]
    assert {names[place] for place in still.tolist()} == {"debt"}
    both = (changes(advisor, found, factual) > 0).sum(1) - 1
    assert torch.equal(count, both)
    assert (back.raw["age"] == factual.raw["age"]).all()
    assert torch.equal(back.inputs, advisor.codec.encode(back.raw))


def test_a_firm_answer_stays_firm():
    """Each of two changes is enough for the class, both are for the probability."""
    advisor = lending.advisor({"debt": -1.0, "age": 1.0})
    factual = as_given(lending.frame(1, 40).assign(debt=999.0, age=30), advisor.codec)
    found = moved(factual, debt=300.0, age=70)
    target = torch.ones(40, dtype=torch.int64)
    judged = advisor.judged(found.inputs, target)
    assert judged.reached.all()
    assert (judged.probability >= 0.75).all()
    back, _ = without_needless(advisor, found, factual, target, None)
    assert (advisor.judged(back.inputs, target).probability >= 0.75).all()


def test_nothing_is_put_back_that_is_needed():
    """Of every answer, no single remaining change can be undone."""
    advisor = lending.advisor({"debt": -2.0, "age": 1.0, "rate": 1.5, "job=nurse": 2.0})
    factual = as_given(lending.frame(1, 60).assign(debt=999.0), advisor.codec)
    found = moved(factual, debt=1.0, age=80, rate=0.99, job="nurse")
    target = torch.ones(60, dtype=torch.int64)
    back, _ = without_needless(advisor, found, factual, target, None)
    size = changes(advisor, back, factual)
    for place in range(size.shape[1]):
        chosen = torch.zeros_like(size, dtype=torch.bool)
        chosen[:, place] = True
        trial = back.with_columns(chosen, factual, advisor.columns)
        judged = advisor.judged(trial.inputs, target)
        undone = judged.reached & (judged.probability >= 0.75)
        assert not (undone & (size[:, place] > 0)).any()
