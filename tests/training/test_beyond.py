"""Terms beyond the paper's in training: what they see, and that cells stay alone."""

import pytest
import torch
from torch import Tensor

from cftrain.counterfactuals.energy import cross_entropy, guidance
from cftrain.data.sampling import TrainingRows, training_rows
from cftrain.training.epoch import EpochCounterfactuals, draw_counterfactuals
from cftrain.training.positives import ALIGNED, MATCHED, spread
from cftrain.training.stack import train
from cftrain.training.steps.forward import Pass
from cftrain.training.steps.portion import portions
from cftrain.training.steps.step import Steps
from tests import builders
from tests.builders import constraints, objective, stacked, streams
from tests.console import run_of
from tests.training.test_keeping import RUN, assert_goes_on, weights_of

STACK, COUNT = 2, 40
CPU = torch.device("cpu")


def rows_of(kinds: str = "free") -> TrainingRows:
    """Blobs whose last feature is of the given kind."""
    limits = constraints(["free"] * 3 + [kinds], -9, 9)
    dataset = builders.blobs(limits=limits)
    return training_rows(dataset, [s.child("split") for s in streams(STACK)])


def drawn(rows: TrainingRows, **beyond: object) -> EpochCounterfactuals:
    member = objective(**beyond)
    unit = spread(rows, "mean") if beyond.get("relative_margin") else None
    return draw_counterfactuals(
        builders.mlp(STACK, scale=2.0),
        rows,
        stacked([builders.search(max_steps=10)] * STACK),
        stacked([member] * STACK),
        count=COUNT,
        streams=[s.child("epoch", 1) for s in streams(STACK)],
        spread=unit,
    )


def training_of(rows: TrainingRows, cell: int, label: int) -> Tensor:
    index = rows.training[cell]
    return rows.dataset.features[index[rows.dataset.labels[index] == label]]


def test_immature_counterfactuals_may_take_part_as_they_were_found():
    rows = rows_of()
    published, found = drawn(rows), drawn(rows, immature="as_found")
    same = (published.counterfactual == found.counterfactual).all(-1)
    assert 0 < same.double().mean() < 1, "the example has to show both"
    replaced = published.counterfactual == published.positive
    assert replaced.all(-1)[~same].all()
    assert torch.equal(published.positive, found.positive)


def test_matched_positives_are_near_in_what_is_protected():
    rows = rows_of("immutable")
    random, matched = drawn(rows), drawn(rows, positive="matched", immature="as_found")
    for cell in range(STACK):
        for row in range(COUNT):
            own = training_of(rows, cell, int(matched.target[cell, row]))
            # The protected value is copied; the others show which row it was.
            gaps = (own[:, :3] - matched.positive[cell, row, :3]).abs().sum(-1)
            assert gaps.min() == 0
            value = own[gaps.argmin(), 3]
            here = matched.counterfactual[cell, row, 3]
            # Nearer than all but a few of its class: the nearest of 32 random rows.
            nearer = (own[:, 3] - here).abs() < (value - here).abs()
            assert nearer.double().mean() < 8 / MATCHED
    assert not torch.equal(random.positive, matched.positive)


def test_without_protection_matched_positives_are_random_ones():
    rows = rows_of()
    assert torch.equal(drawn(rows).positive, drawn(rows, positive="matched").positive)


def test_the_wanted_way_leads_from_the_path_to_an_observed_row_nearby():
    rows = rows_of()
    found = drawn(rows, alignment_weight=1.0, immature="as_found")
    assert drawn(rows).path is None
    ends = found.path.visited + found.path.wanted
    for cell in range(STACK):
        for row in range(COUNT):
            own = training_of(rows, cell, int(found.target[cell, row]))
            gaps = (own - ends[cell, row]).abs().sum(-1)
            assert gaps.min() < 1e-12
            distance = (own - found.counterfactual[cell, row]).abs().sum(-1)
            nearer = distance < distance[gaps.argmin()] - 1e-9
            assert nearer.double().mean() < 7 / ALIGNED


def test_a_margin_grows_with_the_distance_in_units_of_the_class():
    rows = rows_of()
    found = drawn(rows, divergence="logistic", margin=1.0, relative_margin=2.0)
    assert (drawn(rows, margin=1.0).margin == 1).all()
    for cell in range(STACK):
        for row in range(COUNT):
            own = training_of(rows, cell, int(found.target[cell, row]))
            unit = torch.cdist(own, own).sum() / (len(own) * (len(own) - 1))
            gap = found.positive[cell, row] - found.counterfactual[cell, row]
            expected = 1 + 2 * gap.norm() / unit
            torch.testing.assert_close(found.margin[cell, row], expected)


def test_the_spread_of_a_class_that_has_none_is_one():
    rows = rows_of()
    rows.dataset.features.zero_()
    assert (spread(rows, "median") == 1).all()


def step(
    classifier: torch.nn.Module,
    rows: TrainingRows,
    found: EpochCounterfactuals | None = None,
    **beyond: object,
) -> Pass:
    weights = stacked([objective(**beyond)] * STACK)
    steps = Steps(
        classifier=classifier,
        objective=weights,
        constraints=rows.dataset.constraints,
        streams=streams(STACK),
    )
    order, bounds, shares = rows.training, [slice(0, 12)], [slice(3, 9)]
    of_epoch = found or drawn(rows, **beyond)
    (portion,) = portions(rows, order, of_epoch, bounds, shares)
    return steps.forward(portion.rows, start=0)


def test_terms_that_nobody_has_cost_no_rows():
    found = step(builders.mlp(STACK), rows_of())
    for term in (found.misalignment, found.squared_slope):
        assert term.value.shape == (STACK, 0)
    assert found.logits.shape[1] == 12 + 3 * 6


def test_misalignment_is_measured_between_gradient_and_way():
    classifier, rows = builders.mlp(STACK), rows_of()
    found = step(classifier, rows, alignment_weight=1.0)
    of_epoch = drawn(rows, alignment_weight=1.0)
    path, target = of_epoch.path, of_epoch.target[:, 3:9]
    visited = path.visited[:, 3:9].clone().requires_grad_()
    total = guidance(classifier(visited), target).sum()
    (ascent,) = torch.autograd.grad(total, visited)
    cosine = torch.nn.functional.cosine_similarity(ascent, path.wanted[:, 3:9], dim=-1)
    torch.testing.assert_close(found.misalignment.value, 1 - cosine)


@pytest.mark.parametrize("term", ["misalignment", "squared_slope"])
def test_second_derivatives_agree_with_finite_differences(term):
    """By one weight of the first layer and one bias, on both sides of where it is."""
    classifier, rows = builders.mlp(STACK), rows_of()
    weights = {"alignment_weight": 1.0, "slope_weight": 1.0}
    sloped = getattr(step(classifier, rows, **weights), term)
    parameters = list(classifier.parameters())
    slopes = sloped.by_parameters(torch.ones(STACK, 1).double())
    for parameter, slope in zip(parameters[:2], slopes[:2], strict=True):
        place = (1,) * parameter.ndim
        values = []
        fixed = drawn(rows, **weights)
        for offset in (1e-6, -1e-6):
            with torch.no_grad():
                parameter[place] += offset
            found = step(classifier, rows, fixed, **weights)
            values.append(float(getattr(found, term).value.sum()))
            with torch.no_grad():
                parameter[place] -= offset
        expected = (values[0] - values[1]) / 2e-6
        assert float(slope[place]) == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_attacked_rows_are_worse_and_keep_what_is_protected():
    classifier, rows = builders.mlp(STACK, scale=2.0), rows_of("immutable")
    seen = []
    hook = classifier.register_forward_hook(lambda _, given, out: seen.append(given[0]))
    found = step(classifier, rows, attack_weight=1.0, attack_epsilon=0.2)
    hook.remove()
    observed, attacked = seen[-1][:, :12], seen[-1][:, -12:]
    assert (attacked - observed).abs().amax() <= 0.2 + 1e-12
    assert torch.equal(attacked[..., 3], observed[..., 3])
    label = rows.labels(rows.training[:, :12])
    before, after = (
        cross_entropy(found.logits[:, places], label).mean(1)
        for places in (slice(0, 12), slice(-12, None))
    )
    assert (after > before).all()


ALL = (
    "objective=aligned",
    "objective.strength=0.5",
    "objective.attack_weight=0.2",
    "objective.slope_weight=0.1",
    "objective.label_smoothing=0.05",
    "objective.relative_margin=1",
)


def test_a_cell_with_all_terms_ends_as_it_does_alone():
    runs = [
        run_of(*RUN, *ALL, f"seed={seed}", f"objective.strength={strength}")
        for seed, strength in [(1, 0.5), (2, 0.0), (3, 0.1)]
    ]
    dataset = runs[0].data.load()
    together = train(runs, dataset, device=CPU)
    for place, run in enumerate(runs):
        alone = train([run], dataset, device=CPU)
        torch.testing.assert_close(
            weights_of(together.classifier, place),
            weights_of(alone.classifier, 0),
            rtol=1e-3,
            atol=1e-4,
        )


def test_an_interrupted_training_with_all_terms_ends_the_same(tmp_path):
    assert_goes_on(tmp_path, 4, *ALL)


def test_a_predictor_with_a_head_ends_as_the_network_without_one():
    """To the bit: the head's terms are a block of their own."""
    words = ("objective=counternet", "model=counternet")
    run, plain = run_of(*RUN, *words), run_of(*RUN, "objective=vanilla")
    dataset = run.data.load()
    found = train([run], dataset, device=CPU)
    alone = train([plain], dataset, device=CPU).classifier
    predictor = found.classifier.predictor
    for one, other in zip(predictor.parameters(), alone.parameters(), strict=True):
        assert torch.equal(one, other)
    first, last = found.history[0], found.history[-1]
    assert last.head_loss < first.head_loss
    assert last.energy_gap.isnan()


def test_an_interrupted_training_of_a_head_ends_the_same(tmp_path):
    assert_goes_on(tmp_path, 4, "objective=counternet", "model=counternet")


def test_history_has_what_a_cell_has_and_nothing_else():
    run = run_of(*RUN, "objective=pgd")
    record = train([run], run.data.load(), device=CPU).history[-1]
    assert record.attack_loss.item() > record.class_loss.item()
    assert record.misalignment.isnan()
    assert record.squared_slope.isnan()
