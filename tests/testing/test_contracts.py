"""What we ask of plug-ins holds for our own parts, and is seen where it does not."""

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch

from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.space import FeatureSpace
from cftrain.evaluation.metric import CounterfactualMetric
from cftrain.generators.generic import Generic
from cftrain.testing import check_dataset, check_generator, check_metric
from tests.console import TINY_MOONS, read, run_of
from tests.contracts.configured import names, run_with

pytestmark = pytest.mark.usefixtures("unchecked")

SAMPLES = {"diversity", "ip_star", "ip_star_floor", "ip_star_printed", "ip_star_median"}
"""Metrics that compare samples, and no single rows."""

METRICS = read(*TINY_MOONS, "evaluation=methods")[1].evaluation.metrics


@pytest.mark.parametrize("name", names("generator"))
def test_our_generators_keep_the_contracts(name):
    check_generator(run_with("generator", name).generator)


@pytest.mark.parametrize("name", METRICS)
def test_our_metrics_keep_the_contracts(name):
    check_metric(METRICS[name], of_rows=name not in SAMPLES)


def test_a_dataset_of_ours_keeps_the_contracts():
    check_dataset(run_of(*TINY_MOONS).data)


@dataclass(frozen=True, kw_only=True)
class Wrong(Generator):
    """The cross-entropy, and something that is wrong with it."""

    wrong: Any

    def loss(self, logits, target, counterfactual, factual, *, progress):
        nearest = Generic(name="", space=self.space, distance_weight=0.1)
        loss = nearest.loss(logits, target, counterfactual, factual, progress=progress)
        return self.wrong(loss)

    def ineffective(self, max_steps: int) -> frozenset[str]:
        return frozenset()


class Steep(Wrong):
    def slopes(self, *given, progress):
        by_logits, by_rows = super().slopes(*given, progress=progress)
        return 2 * by_logits, by_rows


@pytest.mark.parametrize(
    ("kind", "wrong", "told"),
    [
        (Wrong, torch.sum, "expected a loss (stack, row) of (3, 12), got ()"),
        (Wrong, lambda loss: loss / 0, "expected finite losses"),
        (Wrong, lambda loss: loss - loss.mean(1, True), "depend on this row alone"),
        (Wrong, lambda loss: loss - loss.mean(0, True), "depend on this row alone"),
        (Wrong, lambda loss: loss + torch.rand(()), "depend on this row alone"),
        (Steep, lambda loss: loss, "expected slopes to be those of the loss"),
    ],
)
def test_a_wrong_generator_is_found(kind, wrong, told):
    check_generator(Wrong(name="", space=FeatureSpace(), wrong=lambda loss: loss))
    with pytest.raises(AssertionError, match=re.escape(told)):
        check_generator(kind(name="", space=FeatureSpace(), wrong=wrong))


@dataclass(frozen=True, kw_only=True)
class WrongMetric(CounterfactualMetric):
    unit: ClassVar[str] = "L1"
    higher_is_better: ClassVar[bool] = False

    wrong: Any

    def __call__(self, individuals, reference):
        found = individuals.found
        return self.wrong((found.counterfactual - found.factual).abs().sum(-1))


class Directionless(WrongMetric):
    higher_is_better = None


@pytest.mark.parametrize(
    ("kind", "wrong", "told"),
    [
        (WrongMetric, lambda cost: cost[:, :-1], "values of (3, 12), got (3, 11)"),
        (WrongMetric, lambda cost: cost - cost.mean(1, True), "this row alone"),
        (WrongMetric, lambda cost: cost - cost.mean(0), "those of it alone"),
        (WrongMetric, lambda cost: cost * torch.rand(()), "same values each time"),
        (Directionless, lambda cost: cost, "expected higher_is_better of type bool"),
    ],
)
def test_a_wrong_metric_is_found(kind, wrong, told):
    check_metric(WrongMetric(wrong=torch.Tensor.double))
    with pytest.raises(AssertionError, match=re.escape(told)):
        check_metric(kind(wrong=wrong))


def test_what_is_no_metric_is_told():
    @dataclass
    class Other:
        unit = "share"
        higher_is_better = True

    with pytest.raises(TypeError, match="expected a CounterfactualMetric, ModelMetric"):
        check_metric(Other())


@dataclass(frozen=True, kw_only=True)
class WrongData:
    """A dataset of ours, but for what a test makes of what it loads."""

    inner: Any
    changed: Any

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def load(self):
        return self.changed(self.inner.load())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "other"}, "expected the name 'moons', got other"),
        ({"identity": "other"}, "expected the identity told, got other"),
        ({"source": "other"}, "expected the source told, got other"),
        ({"labels": 0}, "expected rows of each class, got [0]"),
        ({"features": "noise"}, "expected the same features each time"),
        ({"features": "double"}, "expected features of float32"),
    ],
)
def test_a_wrong_dataset_is_found(changes, told):
    def changed(data):
        values = dict(changes)
        if values.get("labels") == 0:
            values["labels"] = torch.zeros_like(data.labels)
        if values.get("features") == "noise":
            values["features"] = data.features + 0.01 * torch.randn(2)
        if values.get("features") == "double":
            values["features"] = data.features.double()
        return replace(data, **values)

    with pytest.raises(AssertionError, match=re.escape(told)):
        check_dataset(WrongData(inner=run_of(*TINY_MOONS).data, changed=changed))
