from dataclasses import replace

from cftrain.advice.unusual import unusual
from cftrain.data.told import as_given
from tests.advice import lending


def test_numbers_outside_the_domain_are_told():
    """In the row that they are in; levels have no domain."""
    raw = lending.frame(1, 3)
    raw.loc[1, "age"] = 300
    rows = as_given(raw, lending.codec())
    assert unusual(rows, lending.codec(), lending.constraints(), None) == {
        1: ["age 300 is outside 18 to 90, the domain of the training"]
    }


def test_the_domain_is_told_in_values_that_can_be_written():
    """An inferred bound of 15.65 years is 16; one that was declared is itself."""
    codec, limits = lending.codec(), lending.constraints()
    age, debt = codec.columns[0], codec.columns[1]
    lower, upper = limits.lower.clone(), limits.upper.clone()
    lower[0], upper[0] = age.scaled(15.65), age.scaled(73.47)
    limits = replace(limits, lower=lower, upper=upper)
    raw = lending.frame(1, 3)
    raw.loc[1, "age"], raw.loc[2, "debt"] = 15, -0.01
    assert unusual(as_given(raw, codec), codec, limits, None) == {
        1: ["age 15 is outside 16 to 73, the domain of the training"],
        2: ["debt -0.01 is outside 0 or more, the domain of the training"],
    }
    assert debt.told_decimals == 2
