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
