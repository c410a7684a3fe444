"""The closed form of the gradient by the logits, against autograd and differences."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from cftrain.objectives.naming import PARTS
from cftrain.objectives.objective import Objective
from cftrain.objectives.slopes import by_logits, coefficients
from cftrain.training.steps.step import OPEN
from tests.builders import objective, stacked
from tests.objectives.test_objective import BEYOND, LOGITS, OBSERVED, TUPLES, batch

NOTHING = dict.fromkeys(
    ("class_weight", "divergence_weight", "adversarial_weight", "ridge_weight"), 0.0
)
ALONE = {
    "class_loss": {"class_weight": 1.3},
    "divergence": {"divergence_weight": 0.7},
    "adversarial_loss": {"adversarial_weight": 0.4},
    "ridge": {"ridge_weight": 0.2},
    "attack_loss": {"attack_weight": 0.6},
    "misalignment": {"alignment_weight": 0.4},
    "squared_slope": {"slope_weight": 0.3},
    "head_loss": {"head_weight": 0.7},
    "head_distance": {"head_distance_weight": 0.2},
}
KINDS = {
    "published": {},
    "log_odds": {"energy": "log_odds"},
    "logistic": {"divergence": "logistic", "margin": 0.5},
    "smoothed": {"label_smoothing": 0.2},
    "weighted": {"class_weights": (0.5, 2.0, 1.0, 3.0)},
    "beyond": BEYOND,
}
COUNTS = torch.tensor([[10, 20, 30, 40], [40, 30, 20, 10]])


def member(**chosen) -> Objective:
    made = objective(**chosen)
    return made.fitted(COUNTS, ("a", "b", "c", "d"))


def by_autograd(chosen: Objective, logits: Tensor, **sizes: int) -> Tensor:
    """Gradients of the total; of the terms with a graph of their own, none."""
    logits = logits.clone().requires_grad_()
    data = batch(logits, **sizes)
    total = chosen.total(chosen.parts(data)).sum()
    (slope,) = torch.autograd.grad(total, logits)
    return slope[:, : data.logits.shape[1]]


def closed(chosen: Objective, logits: Tensor, **sizes: int) -> Tensor:
    slope, size = both(chosen, logits, **sizes)
    assert size.isfinite().all()
    return slope


def both(chosen: Objective, logits: Tensor, **sizes: int) -> tuple[Tensor, Tensor]:
    data = batch(logits, **sizes)
    known = coefficients(
        chosen,
        observed_label=data.observed_label,
        nascent_label=data.nascent_label,
        observed_weight=data.observed_weight,
        nascent_weight=data.nascent_weight,
        target=data.target,
        ridge_share=data.ridge_share,
        margin=data.margin,
    )
    return by_logits(chosen, data.logits, known)


def test_all_parts_are_looked_at():
    open_parts = {PARTS[place] for place in OPEN}
    assert set(ALONE) | open_parts == set(PARTS)
    assert not set(ALONE) & open_parts


def attacked(chosen: Objective) -> int:
    """Rows are attacked where that has a weight."""
    return OBSERVED if chosen.optional_weights["attack_loss"] else 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", ALONE)
def test_each_term_is_that_of_autograd(part, kind):
    chosen = member(**KINDS[kind] | NOTHING | ALONE[part])
    sizes = {"attacked": attacked(chosen)}
    found, expected = (way(chosen, LOGITS, **sizes) for way in (closed, by_autograd))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("tuples", [0, TUPLES])
@pytest.mark.parametrize("kind", KINDS)
def test_all_of_them_are_those_of_autograd_with_and_without(kind, tuples, weighted):
    """Tuples, and weights of rows."""
    chosen = member(**KINDS[kind])
    sizes = {"tuples": tuples, "attacked": attacked(chosen), "weighted": weighted}
    logits = 3 * LOGITS
    found, expected = (way(chosen, logits, **sizes) for way in (closed, by_autograd))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


def test_every_cell_has_its_own_weights():
    members = [objective(**BEYOND), objective(**BEYOND | {"strength": 2.0})]
    together = stacked(members)
    found = closed(together, LOGITS)
    torch.testing.assert_close(found, by_autograd(together, LOGITS))
    for cell, alone in enumerate(members):
        torch.testing.assert_close(found[cell], closed(alone, LOGITS)[cell])


@pytest.mark.parametrize("kind", KINDS)
def test_they_agree_with_finite_differences(kind):
    chosen = member(**KINDS[kind])
    sizes = {"attacked": OBSERVED if kind == "beyond" else 0}
    logits = batch(LOGITS, **sizes).logits

    class Total(torch.autograd.Function):
        @staticmethod
        def forward(ctx, logits):
            ctx.save_for_backward(logits)
            return chosen.total(chosen.parts(batch(logits, **sizes)))

        @staticmethod
        def backward(ctx, by_total):
            (logits,) = ctx.saved_tensors
            return by_total.view(-1, 1, 1) * closed(chosen, logits, **sizes)

    assert gradcheck(Total.apply, (logits.clone().requires_grad_(),))


def test_logits_beyond_numbers_break_their_own_cell():
    logits = LOGITS.clone()
    logits[1, 0, 0] = torch.inf
    found, size = both(objective(), logits, attacked=0)
    assert found[0].isfinite().all()
    assert not found[1].isfinite().all()
    assert size.isfinite()[0]


@pytest.mark.parametrize("kind", ["published", "log_odds"])
def test_a_ridge_too_large_for_a_number_is_told(kind):
    logits = LOGITS.clone()
    logits[1, OBSERVED + TUPLES] *= 1e200
    _, size = both(member(**KINDS[kind]), logits, attacked=0)
    assert size.isfinite().tolist() == [True, False]
