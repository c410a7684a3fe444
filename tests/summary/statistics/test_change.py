"""One sign for every change in percent."""

import numpy as np
import pandas as pd
import pytest

from cftrain.summary.statistics.change import change, ratios, reduction
from cftrain.summary.statistics.rounds import Pairs


@pytest.mark.parametrize("baseline", [(1.0, 0.0), (1.0, -0.5), ()])
def test_there_is_no_ratio_to_what_is_not_positive(baseline):
    assert ratios(Pairs(np.ones(len(baseline)), np.array(baseline))) is None


def test_a_reduction_is_positive_where_the_model_has_less():
    assert reduction(0.75) == 25
    assert reduction(1.5) == -50


def test_a_change_is_negative_where_the_model_has_less():
    model, baseline = pd.Series([1.0, 3.0, 1.0, 1.0]), pd.Series([2.0, 2.0, 0.0, -1.0])
    found = change(model, baseline)
    assert found[:2].to_list() == [-50, 50]
    assert found[2:].isna().all()


def test_a_reduction_is_minus_a_change():
    """Bit for bit: tables and figures must not differ by rounding."""
    drawn = np.random.default_rng(1).uniform(0.1, 3, (2, 1000))
    model, baseline = map(pd.Series, drawn)
    reductions = [reduction(ratio) for ratio in model / baseline]
    assert (-change(model, baseline)).to_list() == reductions
