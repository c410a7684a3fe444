from collections import Counter

import numpy as np
import pytest

from cftrain.advice.overview import sample as module
from cftrain.advice.overview.means import RunningMean
from cftrain.advice.overview.sample import Sample
from cftrain.summary.statistics.intervals import bootstrap_interval, t_interval


def filled(things, size, monkeypatch) -> Sample:
    monkeypatch.setattr(module, "SIZE", size)
    sample = Sample()
    for thing in things:
        sample.add(thing)
    return sample


def test_few_things_are_all_kept(monkeypatch):
    sample = filled(range(7), 7, monkeypatch)
    assert sample.kept == list(range(7))
    assert sample.whole


def test_of_many_things_some_are_kept_and_no_place_is_favoured(monkeypatch, unchecked):
    sample = filled(range(20_000), 2000, monkeypatch)
    assert len(set(sample.kept)) == 2000
    assert (sample.seen, sample.whole) == (20_000, False)
    tenths = Counter(thing // 2000 for thing in sample.kept)
    # 200 in each on average, with a standard deviation of about 13.
    assert all(130 < tenths[tenth] < 270 for tenth in range(10))
    again = filled(range(20_000), 2000, monkeypatch)
    assert again.kept == sample.kept


@pytest.mark.parametrize("size", [10, 1000])
def test_a_running_mean_is_the_mean_however_much_is_kept(size, monkeypatch):
    monkeypatch.setattr(module, "SIZE", size)
    values = (1e6 + np.random.default_rng(1).gamma(2, 3, 500)).tolist()
    mean = RunningMean()
    for value in values:
        mean.add(value)
    found = mean.interval()
    expected = bootstrap_interval(values) if size > 500 else t_interval(values)
    for name in ("centre", "low", "high"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), 1e-12)


def test_one_value_has_no_interval():
    mean = RunningMean()
    assert mean.interval() is None
    mean.add(1.0)
    assert mean.interval() is None
