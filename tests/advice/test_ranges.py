from dataclasses import replace

import pandas as pd
import pytest

from cftrain.advice.ranges import LevelShares, class_range
from cftrain.data.encoding import fit_codec
from cftrain.evaluation.reference import Reference
from tests.advice import lending


def test_the_range_of_a_class_is_that_of_its_raw_rows():
    advisor = lending.advisor({})
    raw = lending.frame()[advisor.reference.labels.numpy() == 1]
    found = class_range(advisor, 1)
    assert class_range(advisor, 1) is found
    for name, digits in (("age", 0), ("debt", 2), ("rate", 3)):
        quantiles = raw[name].quantile([0, 0.25, 0.5, 0.75, 1])
        expected = [round(float(value), digits) for value in quantiles]
        assert list(vars(found[name]).values())[:5] == pytest.approx(
            expected, abs=1.01 * 10**-digits
        )
    assert found["age"].lowest == raw["age"].min()
    assert isinstance(found["job"], LevelShares)
    counts = raw["job"].value_counts(normalize=True)
    assert found["job"].shares == pytest.approx(dict(counts), abs=1e-6)


def test_missing_values_have_no_place_and_dates_and_orders_have_theirs():
    raw = pd.DataFrame(
        {
            "income": [10.0, None, 30.0, None, 50.0, None],
            "born": [f"{day:02}.03.2001" for day in (1, 2, 3, 4, 5, 9)],
            "school": ["low", "mid", "mid", "high", "mid", "mid"],
        }
    )
    kinds = {"income": "numeric", "born": "date_day_first", "school": "ordered"}
    codec = fit_codec(
        raw,
        kinds,
        levels={"school": ("low", "mid", "high")},
        standardise=True,
        imputed=("income",),
    )
    features = codec.encode(raw)
    labels = features[:, 0].new_zeros(6).long()
    labels[5] = 1
    advisor = replace(
        lending.advisor({}), codec=codec, reference=Reference(features, labels, 2)
    )
    found = class_range(advisor, 0)
    assert (found["income"].lowest, found["income"].highest) == (10, 50)
    assert found["income"].median == 30
    born = found["born"]
    assert [born.text(place) for place in (born.lowest, born.median)] == [
        *("01.03.2001", "03.03.2001")
    ]
    assert born.place("05.03.2001") == born.highest
    shares = {"low": 0.2, "mid": 0.6, "high": 0.2}
    assert found["school"].shares == pytest.approx(shares)
    # Of the other class nothing is known of the income.
    assert set(class_range(advisor, 1)) == {"born", "school"}
