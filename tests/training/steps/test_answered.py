"""What a head learns from, and that the two networks are blocks of their own."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cftrain.counterfactuals.energy import probabilities
from cftrain.data.sampling import TrainingRows, training_rows
from cftrain.errors import ModelError
from cftrain.models.classifier import Headed
from cftrain.objectives.objective import Objective
from cftrain.seeding import children
from cftrain.training.steps.answered import answered, check_head
from cftrain.training.steps.portion import portions
from cftrain.training.steps.step import Steps
from tests import builders
from tests.builders import CLASSES, constraints, headed, objective, stacked, streams

STACK, ROWS = 2, 12
WEIGHTS = {"head_weight": 0.7, "head_distance_weight": 0.2}
LIMITS = constraints(["free", "immutable", "free", "free"], -9, 9, groups=((2, 3),))


def rows_of() -> TrainingRows:
    """Blobs whose last two features are a category."""
    plain = builders.blobs()
    features, test_features = (
        torch.cat([x[:, :2], functional.one_hot((x[:, 2] > 0).long(), 2)], 1)
        for x in (plain.features, plain.test_features)
    )
    dataset = replace(
        plain, features=features, test_features=test_features, constraints=LIMITS
    )
    return training_rows(dataset, children(streams(STACK), "split"))


def only_head(**weights: float) -> Objective:
    return stacked([objective(1.0, 0.0, 0.0, 0.0, **weights)] * STACK)


def slopes_of(
    model: torch.nn.Module, chosen: Objective
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Total and parts of one step, and the gradients that it goes by."""
    rows, taken = rows_of(), []
    (portion,) = portions(rows, rows.training, None, [slice(0, ROWS)], [slice(0, 0)])
    steps = Steps(model, chosen, LIMITS, streams(STACK))

    def keep(size: Tensor, slopes: list[Tensor]) -> Tensor:
        taken.extend(slope.clone() for slope in slopes)
        return torch.ones(STACK, dtype=torch.bool)

    learned = steps.learn(portion, keep)
    return learned.totals[0], learned.parts[0], taken


def told(model: Headed, chosen: Objective | None = None):
    rows = rows_of()
    observed = rows.features(rows.training[:, :ROWS])
    return observed, answered(
        model,
        chosen or only_head(**WEIGHTS),
        observed,
        model(observed).detach(),
        constraints=LIMITS,
        streams=children(streams(STACK), "answers", 0),
    )


def test_terms_are_those_of_the_answer_as_it_is_given():
    """By hand: a softmax of the group, nothing of what may not move."""
    model = headed(STACK)
    observed, found = told(model)
    predicted = model(observed).argmax(-1)
    seen = []
    for target in range(CLASSES):
        wanted = torch.full_like(predicted, target)
        answer = model.answers(observed, wanted)
        answer[..., 2:] = answer[..., 2:].softmax(-1)
        answer[..., 1] = observed[..., 1]
        missed = (1 - probabilities(model(answer))[..., target]) ** 2
        distance = (answer - observed).square().mean(-1)
        same = (missed - found.missed).abs() < 1e-12
        assert ((distance - found.distance).abs() < 1e-12)[same].all()
        assert not (same & (predicted == target)).any()
        seen.append(same)
    assert torch.stack(seen).sum(0).eq(1).all(), "each row has one target"


def test_the_predictor_learns_nothing_from_the_head():
    """Its gradients are those of the class loss alone, to the bit."""
    model = headed(STACK, scale=2.0)
    _, _, whole = slopes_of(model, only_head(**WEIGHTS))
    _, _, plain = slopes_of(model.predictor, only_head())
    count = len(list(model.predictor.parameters()))
    assert len(plain) == count < len(whole)
    assert all(map(torch.equal, whole[:count], plain))


def test_the_head_learns_nothing_from_the_class_loss():
    model, other = headed(STACK), builders.objective(0.0, 0.0, 0.0, 0.0, **WEIGHTS)
    _, _, whole = slopes_of(model, only_head(**WEIGHTS))
    _, _, alone = slopes_of(model, stacked([other] * STACK))
    count = len(list(model.predictor.parameters()))
    assert all(map(torch.equal, whole[count:], alone[count:]))
    assert not any(slope.any() for slope in alone[:count])
    _, _, untrained = slopes_of(model, only_head())
    assert not any(slope.any() for slope in untrained[count:])


def test_gradients_of_the_head_agree_with_finite_differences():
    """By one weight or bias of each of its layers, in the second cell."""
    model, chosen = headed(STACK), only_head(**WEIGHTS)
    total, parts, slopes = slopes_of(model, chosen)
    torch.testing.assert_close(total, parts[0] + 0.7 * parts[-2] + 0.2 * parts[-1])
    names = [name for name, _ in model.named_parameters()]
    for name, parameter, slope in zip(names, model.parameters(), slopes, strict=True):
        if not name.startswith("head"):
            continue
        place, values = (1,) * parameter.ndim, []
        for offset in (1e-6, -1e-6):
            with torch.no_grad():
                parameter[place] += offset
            values.append(slopes_of(model, chosen)[0])
            with torch.no_grad():
                parameter[place] -= offset
        expected = (values[0] - values[1]) / 2e-6
        assert float(expected[0]) == 0
        assert float(slope[place]) == pytest.approx(float(expected[1]), abs=1e-8)


def test_what_may_not_move_has_no_part_in_it():
    model = headed(STACK)
    _, found = told(model)
    last = list(model.head.parameters())[-1]
    total = (found.missed + found.distance).sum()
    (slope,) = torch.autograd.grad(total, last)
    assert not slope[:, 1].any()
    assert slope[:, [0, 2, 3]].all()


def test_a_model_without_a_head_is_refused():
    model = builders.mlp(STACK)
    with pytest.raises(ModelError, match=r"expected a model with a head"):
        check_head(model, only_head(**WEIGHTS))
    check_head(model, only_head())
    check_head(headed(STACK), only_head(**WEIGHTS))
    _, found = told(model, only_head())
    assert found.missed.shape == found.distance.shape == (STACK, 0)


def test_answers_beyond_numbers_break_their_own_cell():
    model = headed(STACK)
    with torch.no_grad():
        next(model.head.parameters())[1] = torch.nan
    _, _, slopes = slopes_of(model, only_head(**WEIGHTS))
    for slope in slopes:
        assert slope[0].isfinite().all()
    assert not slopes[-1][1].isfinite().all()
