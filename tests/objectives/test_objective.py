import math

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from cftrain.objectives.batch import Batch
from cftrain.objectives.objective import PARTS, Objective
from tests.builders import integers, normal, objective, stacked, vanilla

STACK, OBSERVED, TUPLES, CLASSES = 2, 5, 3, 4
LOGITS = normal(STACK, OBSERVED + 3 * TUPLES, CLASSES, seed=1)
MARGIN = normal(STACK, TUPLES, seed=5).abs()
MISALIGNMENT = normal(STACK, TUPLES, seed=6).abs()
SLOPE = normal(STACK, OBSERVED, seed=7).abs()
SHARE = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)


def batch(logits: Tensor, tuples: int = TUPLES) -> Batch:
    return Batch(
        logits=logits[:, : OBSERVED + 3 * tuples],
        observed_label=integers(CLASSES, STACK, OBSERVED, seed=2),
        nascent_label=integers(CLASSES, STACK, TUPLES, seed=3)[:, :tuples],
        target=integers(CLASSES, STACK, TUPLES, seed=4)[:, :tuples],
        ridge_share=SHARE[:, :tuples],
        margin=MARGIN[:, :tuples],
        misalignment=MISALIGNMENT[:, :tuples],
        squared_slope=SLOPE,
    )


def surprise(logits: list[float], label: int) -> float:
    return math.log(sum(math.exp(logit) for logit in logits)) - logits[label]


def plain_parts(data: Batch, cell: int) -> list[float]:
    """Method, section 4, row by row in plain numbers."""
    logits = data.logits[cell].tolist()
    observed, nascent = logits[:OBSERVED], logits[OBSERVED : OBSERVED + TUPLES]
    positive = logits[OBSERVED + TUPLES : OBSERVED + 2 * TUPLES]
    counterfactual = logits[OBSERVED + 2 * TUPLES :]
    class_loss = adversarial = divergence = ridge = 0.0
    for row, label in zip(observed, data.observed_label[cell].tolist(), strict=True):
        class_loss += surprise(row, label) / OBSERVED
    for i in range(TUPLES):
        target = int(data.target[cell, i])
        adversarial += surprise(nascent[i], int(data.nascent_label[cell, i])) / TUPLES
        high, low = positive[i][target], counterfactual[i][target]
        divergence += (-high + low) / TUPLES
        ridge += float(data.ridge_share[cell, i]) * (high**2 + low**2) / TUPLES
    return [class_loss, divergence, adversarial, ridge]


def test_parts_agree_with_a_loop_over_rows():
    assert PARTS == ("class_loss", "divergence", "adversarial_loss", "ridge")
    found = objective().parts(batch(LOGITS))
    for cell in range(STACK):
        assert found[:, cell].tolist() == pytest.approx(
            plain_parts(batch(LOGITS), cell), rel=1e-12
        )


def test_the_total_is_the_weighted_sum():
    parts = objective().parts(batch(LOGITS))
    found = objective(2.0, 0.5, 0.25, 0.1).total(parts)
    expected = 2 * parts[0] + 0.5 * parts[1] + 0.25 * parts[2] + 0.1 * parts[3]
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


def test_stacked_weights_are_the_weights_of_each_cell():
    members = [objective(1.0, 0.5, 0.25, 0.1), objective(0.7, 0.0, 2.0, 0.3)]
    parts = objective().parts(batch(LOGITS))
    found = stacked(members).total(parts)
    for cell, member in enumerate(members):
        alone = member.total(parts[:, cell : cell + 1])
        torch.testing.assert_close(found[cell : cell + 1], alone, rtol=1e-14, atol=0)


@pytest.mark.parametrize("part", range(len(PARTS)))
def test_gradients_of_the_parts_agree_with_finite_differences(part):
    logits = LOGITS.clone().requires_grad_()
    assert gradcheck(lambda x: objective().parts(batch(x))[part], (logits,))


def test_gradients_of_the_total_agree_with_finite_differences():
    weights = stacked([objective(), objective(1.0, 0.3, 0.7, 0.2)])
    logits = LOGITS.clone().requires_grad_()
    assert gradcheck(lambda x: weights.total(weights.parts(batch(x))), (logits,))


def test_gradients_stay_within_their_cell():
    logits = LOGITS.clone().requires_grad_()
    total = objective().total(objective().parts(batch(logits)))
    (slope,) = torch.autograd.grad(total[0], logits)
    assert slope[0].abs().sum() > 0
    assert slope[1].abs().sum() == 0


def test_without_counterfactuals_only_the_class_loss_is_left():
    found = objective().parts(batch(LOGITS, tuples=0))
    assert found.shape == (len(PARTS), STACK)
    torch.testing.assert_close(found[0], objective().parts(batch(LOGITS))[0])
    assert (found[1:] == 0).all()


def test_zero_weights_are_vanilla():
    total = vanilla().total(vanilla().parts(batch(LOGITS)))
    torch.testing.assert_close(total, objective().parts(batch(LOGITS, tuples=0))[0])
    logits = LOGITS.clone().requires_grad_()
    loss = vanilla().total(vanilla().parts(batch(logits))).sum()
    (slope,) = torch.autograd.grad(loss, logits)
    assert (slope[:, OBSERVED:] == 0).all()


def test_rows_may_be_permuted_within_their_kind():
    data = batch(LOGITS)
    order = torch.tensor([2, 0, 1])
    kinds = [torch.arange(OBSERVED).flip(0)]
    kinds += [OBSERVED + kind * TUPLES + order for kind in range(3)]
    permuted = Batch(
        logits=data.logits[:, torch.cat(kinds)],
        observed_label=data.observed_label.flip(1),
        nascent_label=data.nascent_label[:, order],
        target=data.target[:, order],
        ridge_share=data.ridge_share[:, order],
    )
    torch.testing.assert_close(objective().parts(permuted), objective().parts(data))


@pytest.mark.parametrize(
    ("weights", "name"),
    [
        ((1.0, 0.5, 0.25, 0.1), "full"),
        ((1.0, 0.5, 0.25, 0.0), "full"),
        ((1.0, 0.5, 0.0, 0.1), "energy"),
        ((1.0, 0.0, 0.0, 0.1), "energy"),
        ((1.0, 0.0, 0.25, 0.0), "adversarial"),
        ((1.0, 0.0, 0.0, 0.0), "vanilla"),
    ],
)
def test_the_weights_say_the_name_and_whether_counterfactuals_are_needed(weights, name):
    member = objective(*weights)
    assert member.name == name
    assert member.needs_counterfactuals == (name != "vanilla")
    assert member.cells_with_counterfactuals(2) == ([] if name == "vanilla" else [0, 1])


def mixed() -> Objective:
    return stacked([vanilla(), objective(), vanilla(), objective(1.0, 0.0, 0.25, 0.0)])


def test_cells_without_counterfactuals_are_found_in_a_stack():
    assert mixed().cells_with_counterfactuals(4) == [1, 3]


def test_a_stack_needs_counterfactuals_if_any_cell_does():
    assert mixed().needs_counterfactuals
    assert not stacked([vanilla(), vanilla()]).needs_counterfactuals
