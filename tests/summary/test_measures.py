"""The list of measures agrees with the metrics that are configured."""

import pytest

from cftrain.summary.measures import MEASURES, measure_title
from tests.console import read

METRICS = {
    name: metric
    for evaluation in ("full", "grid", "images", "methods")
    for name, metric in read(f"evaluation={evaluation}")[1].evaluation.metrics.items()
}


@pytest.mark.parametrize("name", sorted(set(METRICS) & set(MEASURES)))
def test_what_is_better_is_what_the_metric_says(name):
    assert MEASURES[name].higher_is_better == METRICS[name].higher_is_better


def test_every_measure_is_configured_somewhere():
    assert set(MEASURES) - set(METRICS) == set()


def test_a_measure_without_a_title_goes_by_its_name():
    assert measure_title("fgsm_accuracy") == "FGSM"
    assert measure_title("my_own") == "my_own"
