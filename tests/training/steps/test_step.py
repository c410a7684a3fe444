"""The gradients that a step takes, against autograd through the whole objective."""

import pytest
import torch
from torch import Tensor, nn

from cftrain.data.sampling import TrainingRows, training_rows
from cftrain.objectives.naming import PARTS
from cftrain.seeding import children
from cftrain.training.epoch import draw_counterfactuals
from cftrain.training.steps.forward import batch
from cftrain.training.steps.portion import Portion, portions
from cftrain.training.steps.replay import replay
from cftrain.training.steps.step import OPEN, Steps
from tests import builders
from tests.builders import constraints, mlp, objective, stacked, streams

STACK, COUNT = 2, 12
BEYOND = {
    "published": {},
    "aligned": {
        "energy": "log_odds",
        "divergence": "logistic",
        "alignment_weight": 0.4,
        "label_smoothing": 0.1,
    },
    "attacked": {"attack_weight": 0.6, "attack_epsilon": 0.2, "slope_weight": 0.3},
    "recourse": {"recourse_weight": 0.7, "recourse_epsilon": 0.5},
    "joint": {"joint_weight": 0.2},
}


def rows_of() -> TrainingRows:
    limits = constraints(["free"] * 3 + ["immutable"], -9, 9)
    dataset = builders.blobs(limits=limits)
    return training_rows(dataset, children(streams(STACK), "split"))


def portion_of(rows: TrainingRows, model: nn.Module, **beyond: object) -> Portion:
    """Two steps of equal size."""
    drawn = draw_counterfactuals(
        model,
        rows,
        stacked([builders.search(max_steps=5)] * STACK),
        stacked([objective(**beyond)] * STACK),
        count=COUNT,
        streams=children(streams(STACK), "epoch", 1),
    )
    bounds, shares = [slice(0, 10), slice(10, 20)], [slice(0, 6), slice(6, 12)]
    (portion,) = portions(rows, rows.training, drawn, bounds, shares)
    return portion


def steps_of(rows: TrainingRows, model: nn.Module, **beyond: object) -> Steps:
    return Steps(
        classifier=model,
        objective=stacked([objective(**beyond)] * STACK),
        constraints=rows.dataset.constraints,
        streams=streams(STACK),
        replay=replay(rows, 10, streams(STACK)) if "joint_weight" in beyond else None,
    )


def plain(steps: Steps, portion: Portion, number: int) -> tuple[Tensor, list[Tensor]]:
    """Totals and their gradients by the parameters, with a graph through everything."""
    rows, model = portion.by_step()[number], steps.classifier
    seen: list[Tensor] = []
    # A hook makes it any classifier: its rows pass by here, the last ones whole.
    hook = model.register_forward_hook(lambda _, given, out: seen.append(given[0]))
    found = steps.forward(rows, portion.starts[number])
    hook.remove()
    whole = max(seen, key=lambda x: x.shape[1]).detach()
    _, _, _, *places = found.numbers
    sloped = [found.misalignment.value, found.squared_slope.value]
    graph = (model(whole), *sloped, *places)
    totals = steps.objective.total(steps.objective.parts(batch(rows, [graph])))
    parameters = list(model.parameters())
    return totals, list(torch.autograd.grad(totals.sum(), parameters))


@pytest.mark.parametrize("kind", BEYOND)
def test_a_step_goes_by_the_gradients_of_the_whole_objective(kind):
    rows, model = rows_of(), mlp(STACK, scale=2.0)
    portion = portion_of(rows, model, **BEYOND[kind])
    taken: list[list[Tensor]] = []

    def keep(size: Tensor, slopes: list[Tensor]) -> Tensor:
        assert size.isfinite().all()
        taken.append([slope.clone() for slope in slopes])
        return torch.ones(STACK, dtype=torch.bool)

    learned = steps_of(rows, model, **BEYOND[kind]).learn(portion, keep)
    assert len(taken) == len(portion.starts) == 2
    # Other draws from the buffer where it has moved on: both steps anew, in order.
    other = steps_of(rows, model, **BEYOND[kind])
    for number, slopes in enumerate(taken):
        totals, expected = plain(other, portion, number)
        torch.testing.assert_close(learned.totals[number], totals.detach())
        torch.testing.assert_close(slopes, expected, rtol=1e-9, atol=1e-12)


def test_terms_without_a_closed_form_are_among_the_examples():
    assert [PARTS[place] for place in OPEN] == ["recourse_loss", "energy_gap"]
    for name in ("recourse", "joint"):
        assert any(name in weight for weight in BEYOND[name])
