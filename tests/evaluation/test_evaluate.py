import math
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cftrain.counterfactuals.search import Steps
from cftrain.data.dataset import Dataset
from cftrain.evaluation.evaluate import Evaluation, Measurement, evaluate
from cftrain.evaluation.individuals import draw_individuals, pairs
from cftrain.evaluation.metric import (
    CounterfactualMetric,
    Individuals,
    ModelMetric,
    ResampledMetric,
)
from cftrain.evaluation.protocol import Attributions, Protocol
from cftrain.models.members import frozen, predict
from cftrain.seeding import Stream
from tests.builders import CLASSES, blobs, generic, linear, mlp, streams
from tests.evaluation.individuals import protocol

LEVELS = {"fgsm_accuracy": [0.01, 0.03, 0.1], "pgd_accuracy": [0.03, 0.1]}
MODEL_METRICS = {"accuracy", "f1", *LEVELS}
RESAMPLED_METRICS = {"ig_published", "ig_bounded"}
OF_ALL = {"validity", "mature_share", "violations"}
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
STAY = Steps(step_size=1e-12, max_steps=1, epsilon=0.3)
"""No counterfactual leaves its factual."""


@pytest.fixture
def data() -> Dataset:
    return blobs(rows=90)


@pytest.fixture
def classifier():
    return mlp(3, scale=2.0)


def one_class_only(cells: int = 1) -> torch.nn.Module:
    """Predicts class 0 always, but other classes can be reached."""
    weight = torch.zeros(cells, CLASSES, 4, dtype=torch.float64)
    bias = torch.zeros(cells, CLASSES, dtype=torch.float64)
    weight[:, 1, 0], weight[:, 2, 1] = 1, 1
    bias[:, 0] = 50
    return linear(weight, bias)


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


def individuals_of(
    classifier: torch.nn.Module,
    data: Dataset,
    made: Protocol,
    drawn: list[Stream] | None = None,
) -> Individuals:
    search = made.searches()[0][1]
    cells = next(classifier.parameters()).shape[0]
    return draw_individuals(
        classifier,
        data,
        made,
        search,
        streams=streams(cells) if drawn is None else drawn,
    )


def same(left: list[Measurement], right: list[Measurement]) -> None:
    """Equal measurements, null values included, in the same order."""
    assert len(left) == len(right)
    for ours, theirs in zip(left, right, strict=True):
        assert replace(ours, value=0) == replace(theirs, value=0)
        assert ours.value == pytest.approx(theirs.value, rel=1e-9, nan_ok=True), ours


def test_pairs_are_of_two_classes_and_uniform():
    factual, target = pairs(30_000, 4, Stream(1))
    assert (factual != target).all()
    counts = Counter(zip(factual.tolist(), target.tolist(), strict=True))
    assert len(counts) == 12
    expected = 30_000 / 12
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < 31.3  # 11 degrees of freedom, once in a thousand


def test_pairs_are_a_function_of_their_stream():
    for left, right in zip(
        pairs(50, 3, Stream(1)), pairs(50, 3, Stream(1)), strict=True
    ):
        assert torch.equal(left, right)
    assert not torch.equal(pairs(50, 3, Stream(1))[0], pairs(50, 3, Stream(2))[0])


def test_factuals_are_test_rows_that_the_own_model_predicts_so(classifier, data):
    made = protocol(individuals=20)
    found = individuals_of(classifier, data, made)
    factual_class, _ = pairs(20, CLASSES, Stream(made.pair_seed))
    predicted = predict(classifier, found.found.factual)
    wanted = factual_class.repeat(made.rounds).expand(3, -1)
    assert found.present.any()
    assert torch.equal(predicted[found.present], wanted[found.present])
    rows = {tuple(row) for row in data.test_features.tolist()}
    assert {tuple(r) for r in found.found.factual.flatten(0, 1).tolist()} <= rows
    labels = {
        tuple(row): label
        for row, label in zip(
            data.test_features.tolist(), data.test_labels.tolist(), strict=True
        )
    }
    drawn = [labels[tuple(row)] for row in found.found.factual[0].tolist()]
    assert drawn != wanted[0].tolist()  # the label is not what is asked for


def test_pairs_are_the_same_in_all_rounds_cells_and_evaluations(classifier, data):
    made = protocol()
    _, target = pairs(made.individuals, CLASSES, Stream(made.pair_seed))
    for drawn in (streams(3), streams(3, seed=50)):
        found = individuals_of(classifier, data, made, drawn)
        assert torch.equal(found.pair_target, target)
        by_round = found.by_round(found.found.target)
        assert (by_round == target).all()
        assert by_round.shape == (3, made.rounds, made.individuals)


def test_rounds_and_streams_draw_other_rows(classifier, data):
    made = protocol()
    found = individuals_of(classifier, data, made)
    by_round = found.by_round(found.found.factual)
    assert not torch.equal(by_round[:, 0], by_round[:, 1])
    other = individuals_of(classifier, data, made, streams(3, seed=50))
    assert not torch.equal(other.found.factual, found.found.factual)


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
    made = protocol(search=Steps(step_size=0.1, max_steps=3, epsilon=0.3))
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

        def __call__(self, classifier, dataset):
            return torch.arange(12.0, dtype=torch.float64).view(4, 3)

    found = measured(classifier, data, replace(protocol(), metrics={"r": Rounds()}))
    assert [(m.round, m.cell, m.value) for m in found] == [
        (number, cell, 3 * number + cell) for number in range(4) for cell in range(3)
    ]
    assert {(m.metric, m.energy_weight, m.epsilon) for m in found} == {
        ("r", None, None)
    }


def test_explained_individuals_are_distinct_and_counted(classifier, data):
    made = protocol(individuals=25)
    drawn = [stream.child("evaluation", 1) for stream in streams(3)]
    explained = evaluation_of(classifier, data, made).explained
    kept = [e for e in explained if e.energy_weight == 5.0 and e.metric == "cost"]
    assert {e.metric for e in explained} == {"ip", "cost"}
    assert [e.cell for e in kept] == [0, 1, 2]
    found = draw_individuals(
        classifier, data, made, made.searches()[1][1], streams=drawn
    )
    cost = (found.found.counterfactual - found.found.factual).abs().sum(-1)
    for part in kept:
        present = found.present[part.cell]
        keys = Counter(
            zip(
                found.factual_row[part.cell, present].tolist(),
                found.found.target[part.cell, present].tolist(),
                strict=True,
            )
        )
        listed = zip(part.factual.tolist(), part.target.tolist(), strict=True)
        assert dict(zip(listed, part.draws.tolist(), strict=True)) == keys
        assert max(keys.values()) > 1
        assert torch.equal(part.value.isnan(), ~part.valid)
        rows = {
            (int(found.factual_row[part.cell, row]), int(found.found.target[0, row])): (
                float(cost[part.cell, row]),
                bool(found.valid[part.cell, row]),
            )
            for row in present.nonzero().flatten().tolist()
        }
        for factual, target, valid, value in zip(
            part.factual.tolist(),
            part.target.tolist(),
            part.valid.tolist(),
            part.value.tolist(),
            strict=True,
        ):
            expected, is_valid = rows[factual, target]
            assert valid == is_valid
            assert not valid or value == expected


def test_attributions_are_there_if_asked_for(classifier, data):
    made = protocol(rounds=1, individuals=3)
    assert evaluation_of(classifier, data, made).attributions is None
    asked = replace(made, attributions=Attributions(steps=5, seed=1))
    found = evaluation_of(classifier, data, asked).attributions
    assert found is not None
    assert found.shape == (3, CLASSES, 4)


def test_two_metrics_of_one_class_stay_apart(classifier, data):
    made = protocol()
    narrow = replace(made.metrics["ip_star"], length_scale=0.5)
    metrics = {"ip_star": made.metrics["ip_star"], "ip_star_narrow": narrow}
    found = measured(classifier, data, replace(made, metrics=metrics))
    assert {m.metric for m in found} == {"ip_star", "ip_star_narrow"}
