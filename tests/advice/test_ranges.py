import pytest

from cftrain.advice.ranges import LevelShares, class_range
from tests.advice import lending


def test_the_range_of_a_class_is_that_of_its_raw_rows():
    advisor = lending.advisor({})
    raw = lending.frame()[advisor.reference.labels.numpy() == 1]
    found = class_range(advisor, 1)
    assert class_range(advisor, 1) is found
    for name, digits in (("age", 0), ("debt", 2), ("rate", 3)):
        quantiles = raw[name].quantile([0, 0.25, 0.5, 0.75, 1])
        expected = [round(float(value), digits) for value in quantiles]
        assert list(vars(found[name]).values()) == pytest.approx(
            expected, abs=1.01 * 10**-digits
        )
    assert found["age"].lowest == raw["age"].min()
    assert isinstance(found["job"], LevelShares)
    counts = raw["job"].value_counts(normalize=True)
    assert found["job"].shares == pytest.approx(dict(counts), abs=1e-6)
