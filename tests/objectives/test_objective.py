import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from cftrain.config.identity import describe
from cftrain.objectives.batch import Batch
from cftrain.objectives.naming import PARTS
from cftrain.objectives.objective import Objective
from tests.builders import integers, normal, objective, stacked, vanilla
from tests.console import read

STACK, OBSERVED, TUPLES, CLASSES = 2, 5, 3, 4
LOGITS = normal(STACK, 2 * OBSERVED + 3 * TUPLES, CLASSES, seed=1)
MARGIN = normal(STACK, TUPLES, seed=5).abs()
MISALIGNMENT = normal(STACK, TUPLES, seed=6).abs()
SLOPE = normal(STACK, OBSERVED, seed=7).abs()
MISSED, DISTANCE = normal(2, STACK, OBSERVED, seed=10).abs()
OBSERVED_WEIGHT = integers(4, STACK, OBSERVED, seed=8).double()
NASCENT_WEIGHT = normal(STACK, TUPLES, seed=9).abs()
SHARE = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)

BEYOND = {
    "energy": "log_odds",
    "divergence": "logistic",
    "alignment_weight": 0.4,
    "attack_weight": 0.6,
    "slope_weight": 0.3,
    "head_weight": 0.7,
    "head_distance_weight": 0.2,
    "label_smoothing": 0.2,
    "strength": 0.5,
}

NO_ROWS = torch.zeros(STACK, 0, dtype=torch.long)


def batch(
    logits: Tensor,
    tuples: int = TUPLES,
    attacked: int = OBSERVED,
    *,
    weighted: bool = False,
) -> Batch:
    """All kinds of rows, or fewer of them: the logits' last ones are left out."""
    return Batch(
        logits=logits[:, : OBSERVED + 3 * tuples + attacked],
        observed_label=integers(CLASSES, STACK, OBSERVED, seed=2),
        nascent_label=integers(CLASSES, STACK, TUPLES, seed=3)[:, :tuples],
        observed_weight=OBSERVED_WEIGHT if weighted else None,
        nascent_weight=NASCENT_WEIGHT[:, :tuples] if weighted else None,
        target=integers(CLASSES, STACK, TUPLES, seed=4)[:, :tuples],
        ridge_share=SHARE[:, :tuples],
        margin=MARGIN[:, :tuples],
        misalignment=MISALIGNMENT[:, :tuples],
        squared_slope=SLOPE,
        recourse_target=NO_ROWS,
        drawn_place=NO_ROWS,
        head_loss=MISSED,
        head_distance=DISTANCE,
    )


def surprise(logits: list[float], label: int, smoothing: float = 0.0) -> float:
    """Cross-entropy against a label of which all classes share a part."""
    total = math.log(sum(math.exp(logit) for logit in logits))
    shares = [smoothing / CLASSES] * CLASSES
    shares[label] += 1 - smoothing
    return sum(s * (total - logit) for s, logit in zip(shares, logits, strict=True))


def plain_energy(logits: list[float], target: int, kind: str) -> float:
    others = [math.exp(x) for k, x in enumerate(logits) if k != target]
    return (math.log(sum(others)) if kind == "log_odds" else 0) - logits[target]


def plain_parts(data: Batch, cell: int, member: Objective) -> list[float]:
    """Method, section 4, and what is beyond it, row by row in plain numbers."""
    logits, smoothing = data.logits[cell].tolist(), member.label_smoothing
    labels = data.observed_label[cell].tolist()
    starts = [0, *(OBSERVED + k * TUPLES for k in range(4))]
    observed, nascent, positive, counterfactual = (
        logits[a:b] for a, b in pairwise(starts)
    )
    of_rows = [
        sum(surprise(r, k, smoothing) for r, k in zip(rows, labels, strict=True))
        for rows in (observed, logits[starts[-1] :])
    ]
    adversarial = divergence = ridge = 0.0
    for i in range(TUPLES):
        target, label = int(data.target[cell, i]), int(data.nascent_label[cell, i])
        adversarial += surprise(nascent[i], label, smoothing) / TUPLES
        low = plain_energy(positive[i], target, member.energy)
        high = plain_energy(counterfactual[i], target, member.energy)
        gap = low - high
        if member.divergence == "logistic":
            gap = math.log1p(math.exp(gap + float(data.margin[cell, i])))
        divergence += gap / TUPLES
        ridge += float(data.ridge_share[cell, i]) * (high**2 + low**2) / TUPLES
    return [
        of_rows[0] / OBSERVED,
        divergence,
        adversarial,
        ridge,
        float(MISALIGNMENT[cell].mean()),
        of_rows[1] / OBSERVED,
        float(SLOPE[cell].mean()),
        0.0,
        0.0,
        float(MISSED[cell].mean()),
        float(DISTANCE[cell].mean()),
    ]


@pytest.mark.parametrize("beyond", [{}, BEYOND], ids=["published", "beyond"])
def test_parts_agree_with_a_loop_over_rows(beyond):
    member = objective(**beyond)
    found = member.parts(batch(LOGITS))
    for cell in range(STACK):
        expected = plain_parts(batch(LOGITS), cell, member)
        assert found[:, cell].tolist() == pytest.approx(expected, rel=1e-12)


def test_moved_and_drawn_rows_come_last():
    data = batch(LOGITS)
    moved, drawn = normal(STACK, 4, CLASSES, seed=8), normal(STACK, 3, CLASSES, seed=9)
    target = integers(CLASSES, STACK, 4, seed=6)
    more = replace(
        data,
        logits=torch.cat([data.logits, moved, drawn], 1),
        recourse_target=target,
        drawn_place=integers(9, STACK, 3),
    )
    found, fewer = objective().parts(more), objective().parts(data)
    drop = [PARTS.index("recourse_loss"), PARTS.index("energy_gap")]
    others = [place for place in range(len(PARTS)) if place not in drop]
    torch.testing.assert_close(found[others], fewer[others])
    own = dict(zip(PARTS, found, strict=True))
    for cell in range(STACK):
        pairs = zip(moved[cell].tolist(), target[cell].tolist(), strict=True)
        losses = [surprise(row, label) for row, label in pairs]
        assert own["recourse_loss"][cell].item() == pytest.approx(sum(losses) / 4)
    observed = LOGITS[:, :OBSERVED].logsumexp(-1).mean(1)
    gap = drawn.logsumexp(-1).mean(1) - observed
    torch.testing.assert_close(own["energy_gap"], gap)


def test_the_total_is_the_weighted_sum():
    parts = objective().parts(batch(LOGITS))
    found = objective(2.0, 0.5, 0.25, 0.1).total(parts)
    expected = 2 * parts[0] + 0.5 * parts[1] + 0.25 * parts[2] + 0.1 * parts[3]
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)
    found = objective(2.0, 0.5, 0.25, 0.1, **BEYOND).total(parts)
    others = 0.5 * parts[1] + 0.25 * parts[2] + 0.4 * parts[4]
    others = others + 0.6 * parts[5] + 0.3 * parts[6]
    expected = 2 * parts[0] + 0.5 * (others + 0.7 * parts[9] + 0.2 * parts[10])
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


def test_no_strength_is_the_class_loss_alone():
    member = objective(**BEYOND | {"strength": 0.0, "label_smoothing": 0.0})
    assert member.name == "vanilla"
    assert not member.needs_counterfactuals
    total = member.total(member.parts(batch(LOGITS)))
    torch.testing.assert_close(total, member.parts(batch(LOGITS))[0])


def test_stacked_weights_are_the_weights_of_each_cell():
    members = [objective(1.0, 0.5, 0.25, 0.1), objective(0.7, 0.0, 2.0, 0.3)]
    parts = objective().parts(batch(LOGITS))
    found = stacked(members).total(parts)
    for cell, member in enumerate(members):
        alone = member.total(parts[:, cell : cell + 1])
        torch.testing.assert_close(found[cell : cell + 1], alone, rtol=1e-14, atol=0)


@pytest.mark.parametrize("beyond", [{}, BEYOND], ids=["published", "beyond"])
@pytest.mark.parametrize("part", range(len(PARTS)))
def test_gradients_of_the_parts_agree_with_finite_differences(part, beyond):
    logits = LOGITS.clone().requires_grad_()
    assert gradcheck(lambda x: objective(**beyond).parts(batch(x))[part], (logits,))


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
    none = SLOPE[:, :0]
    alone = replace(
        batch(LOGITS, tuples=0, attacked=0),
        squared_slope=none,
        head_loss=none,
        head_distance=none,
    )
    found = objective().parts(alone)
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
    kinds.append(torch.arange(OBSERVED + 3 * TUPLES, LOGITS.shape[1]).flip(0))
    permuted = Batch(
        logits=data.logits[:, torch.cat(kinds)],
        observed_label=data.observed_label.flip(1),
        nascent_label=data.nascent_label[:, order],
        observed_weight=None,
        nascent_weight=None,
        target=data.target[:, order],
        ridge_share=data.ridge_share[:, order],
        margin=data.margin[:, order],
        misalignment=data.misalignment[:, order],
        squared_slope=data.squared_slope.flip(1),
        head_loss=data.head_loss.flip(1),
        head_distance=data.head_distance.flip(1),
        recourse_target=NO_ROWS,
        drawn_place=NO_ROWS,
    )
    for member in (objective(), objective(**BEYOND)):
        torch.testing.assert_close(member.parts(permuted), member.parts(data))


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


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("aligned", True),
        ("alignment", True),
        ("pgd", False),
        ("gradient_penalty", False),
        ("smoothing", False),
        ("full", True),
        ("vanilla", False),
    ],
)
def test_packaged_objectives_are_called_as_they_are_chosen(name, searches):
    run, _ = read("data=moons", f"objective={name}")
    assert run.objective.name == name
    assert run.objective.needs_counterfactuals == searches


def test_what_is_bounded_has_no_ridge():
    """Experiments give one to the published objectives."""
    member = objective(1.0, 0.5, 0.25, 0.1, divergence="logistic")
    assert member.weights == (1.0, 0.5, 0.25, *[0.0] * 8)
    assert "ridge_weight" in member.without_effect


def test_settings_that_change_nothing_are_told():
    assert {"margin", "energy", "attack_steps", "positive"} <= vanilla().without_effect
    unused = objective(**BEYOND).without_effect
    assert unused == {"immature_ridge", "ridge_weight", "recourse_epsilon"}
    assert "spread" in objective(1.0, 0.0, 0.25, 0.0).without_effect
    with_ridge = objective(1.0, 0.0, 0.0, 0.1).without_effect
    assert not {"energy", "immature", "immature_ridge"} & with_ridge


def test_what_is_not_beyond_the_paper_is_no_part_of_an_identity():
    run, _ = read("data=moons", "objective=full")
    assert set(describe(run.objective)) == {
        "_target_",
        "class_weight",
        "divergence_weight",
        "adversarial_weight",
        "ridge_weight",
        "nascent_label",
        "positive",
        "immature_ridge",
    }
