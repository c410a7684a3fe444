import math
import threading
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cftrain.cores import in_use
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.data.dataset import Dataset
from cftrain.evaluation.attribution import attributions
from cftrain.evaluation.evaluate import Evaluation, Measurement, evaluate
from cftrain.evaluation.individuals import pairs
from cftrain.evaluation.metric import (
    CounterfactualMetric,
    ModelMetric,
    ResampledMetric,
)
from cftrain.evaluation.metrics.floor import Floor
from cftrain.evaluation.metrics.unfiltered import Unfiltered
from cftrain.evaluation.protocol import Attributions, Protocol
from cftrain.models.stack_slicing import frozen, predict
from cftrain.seeding import Stream
from tests.builders import CLASSES, blobs, constraints, generic, mlp, streams
from tests.evaluation.individuals import individuals_of, one_class_only, protocol

LEVELS = {"fgsm_accuracy": [0.01, 0.03, 0.1], "pgd_accuracy": [0.03, 0.1]}
MODEL_METRICS = {
    "accuracy",
    "auc",
    "balanced_accuracy",
    "calibration_error",
    "f1",
    *LEVELS,
}
RESAMPLED_METRICS = {"ig_published", "ig_bounded"}
OF_ALL = {"at_bound", "validity", "validity_told", "mature_share", "violations"}
OF_VALID = {
    "ip",
    "ip_floor",
    "ip_star",
    "ip_star_floor",
    "ip_star_printed",
    "ip_star_median",
    "cost",
    "redundancy",
}
ROW_METRICS = OF_ALL | OF_VALID
STAY = GradientDescent(step_size=1e-12, max_steps=1, epsilon=0.3)
"""No counterfactual leaves its factual."""


@pytest.fixture
def data() -> Dataset:
    return blobs(rows=90)


@pytest.fixture
def classifier():
    return mlp(3, scale=2.0)


def measured(
    classifier: torch.nn.Module,
    data: Dataset,
    made: Protocol | None = None,
    drawn: list[Stream] | None = None,
) -> list[Measurement]:
    return evaluation_of(classifier, data, made, drawn).measurements


def evaluation_of(
    classifier: torch.nn.Module,
    data: Dataset,
    made: Protocol | None = None,
    drawn: list[Stream] | None = None,
) -> Evaluation:
    cells = next(classifier.parameters()).shape[0]
    drawn = streams(cells) if drawn is None else drawn
    return evaluate(classifier, data, made or protocol(), streams=drawn)


def same(left: list[Measurement], right: list[Measurement]) -> None:
    """Equal measurements, null values included, in the same order."""
    assert len(left) == len(right)
    for ours, theirs in zip(left, right, strict=True):
        assert replace(ours, value=0) == replace(theirs, value=0)
        assert ours.value == pytest.approx(theirs.value, rel=1e-9, nan_ok=True), ours


def test_twins_with_one_stream_and_the_same_weights_are_the_same(data):
    twice = frozen(mlp(1, scale=2.0), [0, 0])
    found = measured(twice, data, drawn=[Stream(3), Stream(3)])
    first = [m for m in found if m.cell == 0]
    second = [replace(m, cell=0) for m in found if m.cell == 1]
    same(first, second)


def test_cells_are_measured_as_if_alone(classifier, data):
    drawn = streams(3)
    together = measured(classifier, data, drawn=drawn)
    for cell in range(3):
        alone = measured(frozen(classifier, [cell]), data, drawn=[drawn[cell]])
        own = [replace(m, cell=0) for m in together if m.cell == cell]
        same(own, alone)


def test_the_same_evaluation_gives_the_same_numbers(classifier, data):
    torch.manual_seed(1)
    first = measured(classifier, data)
    torch.manual_seed(2)
    assert [repr(m) for m in first] == [repr(m) for m in measured(classifier, data)]


def test_threads_that_share_the_metrics_change_nothing(classifier, data):
    expected = measured(classifier, data)
    with in_use(3):
        found = measured(classifier, data)
    assert [repr(m) for m in found] == [repr(m) for m in expected]


@pytest.mark.parametrize("derived", [0, 1, 2])
def test_metrics_of_others_are_asked_by_one_thread_alone(classifier, data, derived):
    asked = set()

    class Asked(CounterfactualMetric):
        unit, higher_is_better = "threads", False

        def __call__(self, individuals, reference):
            asked.add(threading.get_ident())
            return torch.zeros_like(individuals.valid, dtype=torch.float64)

    metric = Asked()
    for wrapper in (Floor, Unfiltered)[:derived]:
        metric = wrapper(metric=metric)
    metrics = {**protocol().metrics, "asked": metric}
    with in_use(3):
        measured(classifier, data, replace(protocol(), metrics=metrics))
    assert asked == {threading.get_ident()}


def test_every_metric_is_there_once_for_each_cell_weight_and_round(classifier, data):
    made = protocol()
    found = measured(classifier, data, made)
    keys = Counter((m.metric, m.cell, m.energy_weight, m.round) for m in found)
    rows = {
        (metric, cell, weight, number): 1
        for metric in ROW_METRICS
        for cell in range(3)
        for weight in (0.5, 5.0)
        for number in range(3)
    }
    models = {
        (metric, cell, None, None): len(LEVELS.get(metric, [None]))
        for metric in MODEL_METRICS
        for cell in range(3)
    }
    assert keys == {**rows, **models}
    for m in found:
        assert (m.epsilon is None) == (m.metric not in LEVELS)
        assert m.metric in ROW_METRICS or m.rows == len(data.test_labels)
    for metric, levels in LEVELS.items():
        of_metric = [m for m in found if m.metric == metric and m.cell == 0]
        assert [m.epsilon for m in of_metric] == levels


def test_a_generator_without_energy_is_measured_once(classifier, data):
    found = measured(classifier, data, protocol(generator=generic()))
    weights = {m.energy_weight for m in found if m.metric == "ip"}
    assert weights == {None}
    assert len([m for m in found if m.metric == "ip"]) == 9


def test_means_are_over_valid_rows_and_validity_over_all(classifier, data):
    made = protocol(search=GradientDescent(step_size=0.1, max_steps=3, epsilon=0.3))
    drawn = [stream.child("evaluation", 0) for stream in streams(3)]
    found = individuals_of(classifier, data, made, drawn)
    valid, cost = (
        found.by_round(found.valid),
        found.by_round(
            (found.found.counterfactual - found.found.factual).abs().sum(-1)
        ),
    )
    assert 0 < valid.double().mean() < 1
    assert torch.equal(found.predicted, predict(classifier, found.found.counterfactual))
    assert not torch.equal(found.predicted, predict(classifier, found.found.nascent))
    checked = 0
    for m in measured(classifier, data, made):
        if m.energy_weight != 0.5:
            continue
        own, costs = valid[m.cell, m.round], cost[m.cell, m.round]
        if m.metric == "validity":
            assert m.rows == made.individuals
            assert m.value == pytest.approx(own.double().mean().item())
        elif m.metric == "cost":
            assert m.rows == own.sum()
            expected = costs[own].mean().item() if own.any() else math.nan
            assert m.value == pytest.approx(expected, nan_ok=True)
            checked += 1
    assert checked == 9


def test_without_valid_counterfactuals_there_are_no_values(classifier, data):
    found = measured(classifier, data, protocol(search=STAY))
    for m in found:
        if m.metric in OF_VALID:
            assert (math.isnan(m.value), m.rows) == (True, 0)
        elif m.metric == "validity":
            assert (m.value, m.rows) == (0, 12)


def test_classes_that_are_never_predicted_are_not_there(data):
    made = protocol(individuals=30)
    factual_class, _ = pairs(30, CLASSES, Stream(made.pair_seed))
    found = individuals_of(one_class_only(), data, made)
    present = found.by_round(found.present)
    assert (present == (factual_class == 0)).all()
    count = int((factual_class == 0).sum())
    assert 0 < count < 30
    for m in measured(one_class_only(), data, made):
        if m.metric == "validity":
            assert m.rows == count
        elif m.metric in ROW_METRICS:
            assert m.rows <= count


def test_a_pair_list_without_a_present_class_gives_no_values(data):
    seed = next(
        seed for seed in range(99) if (pairs(3, CLASSES, Stream(seed))[0] != 0).all()
    )
    made = protocol(individuals=3, pair_seed=seed)
    for m in measured(one_class_only(2), data, made):
        if m.metric in ROW_METRICS:
            assert (math.isnan(m.value), m.rows) == (True, 0)


@pytest.mark.parametrize("split", ["test", "training"])
def test_individuals_and_references_are_of_the_split(classifier, data, split):
    shift = torch.tensor(2.0, dtype=torch.float64)
    moved = replace(data, **{_features(split): getattr(data, _features(split)) + shift})
    made = protocol(split=split, search=STAY)
    other = protocol(split="training" if split == "test" else "test", search=STAY)
    keep = {"validity", "cost", "ip", "ip_star"}
    metrics = {k: v for k, v in made.metrics.items() if k in keep}
    made, other = replace(made, metrics=metrics), replace(other, metrics=metrics)
    untouched = measured(classifier, moved, other)
    same(untouched, measured(classifier, data, other))
    found = individuals_split(classifier, moved, made)
    rows = {tuple(row) for row in getattr(moved, _features(split)).tolist()}
    assert {tuple(row) for row in found.flatten(0, 1).tolist()} <= rows


def _features(split: str) -> str:
    return "test_features" if split == "test" else "features"


def individuals_split(classifier, data: Dataset, made: Protocol) -> Tensor:
    """The factuals that an evaluation draws, seen through a metric."""
    seen = []

    class Spy(type(made.metrics["cost"])):
        def __call__(self, individuals, reference):
            seen.append(individuals.found.factual)
            return super().__call__(individuals, reference)

    measured(classifier, data, replace(made, metrics={"spy": Spy()}))
    return seen[0]


def test_a_metric_that_is_not_finite_does_not_count(classifier, data):
    made = protocol()

    class Broken(type(made.metrics["validity"])):
        def __call__(self, individuals, reference):
            values = torch.ones_like(individuals.valid, dtype=torch.float64)
            values[:, ::2] = torch.inf
            values[:, 1] = torch.nan
            return values

    found = measured(classifier, data, replace(made, metrics={"broken": Broken()}))
    assert [m.rows for m in found if m.cell == 0] == [5, 6, 6] * 2
    assert {m.value for m in found} == {1}


def test_there_are_metrics_of_all_kinds():
    metrics = protocol().metrics

    def names(kind: type) -> set[str]:
        return {name for name, metric in metrics.items() if isinstance(metric, kind)}

    assert names(ModelMetric) == MODEL_METRICS
    assert names(ResampledMetric) == RESAMPLED_METRICS
    assert names(CounterfactualMetric) == ROW_METRICS


def test_resampled_metrics_have_a_value_for_each_round(classifier, data):
    class Rounds(ResampledMetric):
        unit, higher_is_better = "rounds", False

        def __call__(self, subject):
            return torch.arange(12.0, dtype=torch.float64).view(4, 3)

    found = measured(classifier, data, replace(protocol(), metrics={"r": Rounds()}))
    assert [(m.round, m.cell, m.value) for m in found] == [
        (number, cell, 3 * number + cell) for number in range(4) for cell in range(3)
    ]
    assert {(m.metric, m.energy_weight, m.epsilon) for m in found} == {
        ("r", None, None)
    }


def test_attributions_are_there_if_asked_for(classifier, data):
    made = protocol(rounds=1, individuals=3)
    assert evaluation_of(classifier, data, made).attributions is None
    asked = replace(made, attributions=Attributions(steps=5, seed=1))
    found = evaluation_of(classifier, data, asked).attributions
    assert found is not None
    assert found.shape == (3, CLASSES, 4)


def test_integrated_gradients_are_found_once(classifier, monkeypatch):
    """Both normalisations and the picture of classes need them."""
    asked = []

    def spy(classifier, dataset, *, steps, seed):
        asked.append((steps, seed))
        return attributions(classifier, dataset, steps=steps, seed=seed)

    monkeypatch.setattr("cftrain.evaluation.subject.attributions", spy)
    limits = constraints(["immutable", "free", "free", "free"], -9, 9)
    made = protocol(
        rounds=1, individuals=3, attributions=Attributions(steps=50, seed=2025)
    )
    found = evaluation_of(classifier, blobs(rows=60, limits=limits), made)
    assert asked == [(50, 2025)]
    assert found.attributions is not None
    assert {m.metric for m in found.measurements} >= RESAMPLED_METRICS
    other = replace(made, attributions=Attributions(steps=7, seed=1))
    evaluation_of(classifier, blobs(rows=60, limits=limits), other)
    assert asked[1:] == [(50, 2025), (7, 1)]


def test_two_metrics_of_one_class_stay_apart(classifier, data):
    made = protocol()
    narrow = replace(made.metrics["ip_star"], length_scale=0.5)
    metrics = {"ip_star": made.metrics["ip_star"], "ip_star_narrow": narrow}
    found = measured(classifier, data, replace(made, metrics=metrics))
    assert {m.metric for m in found} == {"ip_star", "ip_star_narrow"}
