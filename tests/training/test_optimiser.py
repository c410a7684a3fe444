import copy

import pytest
import torch
from torch import Tensor, nn

from cftrain.models.stack_slicing import frozen
from cftrain.training.optimiser import FlatAdam
from tests.builders import integers, mlp, normal, schedule

SETTINGS = schedule().optimiser
STACK, ROWS = 3, 16
X, LABELS = normal(STACK, ROWS, 4, seed=1), integers(3, STACK, ROWS, seed=2)


def losses(model: nn.Module, x: Tensor = X, labels: Tensor = LABELS) -> Tensor:
    """One number for each cell."""
    rows = nn.functional.cross_entropy(
        model(x).flatten(0, 1), labels.flatten(), reduction="none"
    )
    return rows.view(labels.shape).mean(1)


def step(optimiser: FlatAdam, loss: Tensor) -> Tensor:
    """One step by what autograd says of a loss; True for cells that made it."""
    slopes = torch.autograd.grad(loss.sum(), optimiser.parameters)
    return optimiser.step(loss.detach(), slopes)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-5)]
)
def test_it_is_adam(dtype, tolerance):
    model = mlp(STACK, dtype=dtype)
    plain = copy.deepcopy(model)
    ours = FlatAdam(SETTINGS, model)
    theirs = torch.optim.Adam(plain.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-8)
    for _ in range(50):
        assert step(ours, losses(model, X.to(dtype))).all()
        theirs.zero_grad()
        losses(plain, X.to(dtype)).sum().backward()
        theirs.step()
    for found, expected in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_other_decays_and_epsilon_are_adams_too():
    settings = type(SETTINGS)(learning_rate=0.1, beta1=0.5, beta2=0.8, epsilon=0.01)
    model = mlp(STACK)
    plain = copy.deepcopy(model)
    ours = FlatAdam(settings, model)
    theirs = torch.optim.Adam(plain.parameters(), lr=0.1, betas=(0.5, 0.8), eps=0.01)
    for _ in range(20):
        step(ours, losses(model))
        theirs.zero_grad()
        losses(plain).sum().backward()
        theirs.step()
    for found, expected in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def run(model: nn.Module, broken: dict[int, list[int]], steps: int = 20) -> FlatAdam:
    """Train; in the given steps the loss of the given cells is NaN."""
    optimiser = FlatAdam(SETTINGS, model)
    for number in range(steps):
        loss = losses(model)
        spoilt = torch.zeros(STACK, dtype=torch.bool)
        spoilt[broken.get(number, [])] = True
        made = step(optimiser, loss * torch.where(spoilt, torch.nan, 1.0))
        assert torch.equal(made, ~spoilt)
    return optimiser


def test_a_broken_cell_skips_the_step_and_the_others_do_not_notice():
    whole, holed = mlp(STACK), mlp(STACK)
    run(whole, {})
    run(holed, {0: [1], 5: [1], 6: [1, 2]})
    pairs = list(zip(holed.parameters(), whole.parameters(), strict=True))
    for found, expected in pairs:
        assert torch.equal(found[0], expected[0])
        assert torch.isfinite(found).all()
    assert not torch.equal(pairs[0][0][1], pairs[0][1][1])


def test_a_skipped_step_is_as_if_it_had_not_been():
    """Not a step with a gradient of zero: moments and bias correction stay as well."""
    holed, short = mlp(STACK), mlp(STACK)
    run(holed, {0: [0, 1, 2], 7: [0, 1, 2]}, steps=20)
    run(short, {}, steps=18)
    for found, expected in zip(holed.parameters(), short.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf])
def test_infinite_losses_are_skipped_too(number):
    model = mlp(STACK)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    made = step(FlatAdam(SETTINGS, model), losses(model) + torch.tensor([0, number, 0]))
    assert made.tolist() == [True, False, True]
    for parameter, value in zip(model.parameters(), before, strict=True):
        assert torch.equal(parameter[1], value[1])
        assert not torch.equal(parameter[0], value[0])


def test_a_finite_loss_with_a_broken_gradient_is_skipped():
    model = mlp(STACK)
    before = next(model.parameters()).detach().clone()
    weight = next(model.parameters())
    at_zero = (weight[1] * 0).sum().sqrt()  # zero, and its slope 0 * inf
    made = step(
        FlatAdam(SETTINGS, model),
        losses(model) + torch.stack([at_zero * 0, at_zero, at_zero * 0]) * 1,
    )
    assert not made[1]
    assert torch.equal(next(model.parameters())[1], before[1])


def test_a_gradient_too_large_to_square_is_skipped():
    model = mlp(STACK, dtype=torch.float32)
    optimiser = FlatAdam(SETTINGS, model)
    huge = torch.tensor([1.0, 1e22, 1.0])
    assert step(optimiser, losses(model, X.float()) * huge).tolist() == [1, 0, 1]
    for _ in range(2):
        assert step(optimiser, losses(model, X.float())).all()
    assert torch.isfinite(optimiser.weights).all()


def test_parameters_stay_views_of_one_buffer():
    model = mlp(STACK)
    expected = losses(model)
    names = [name for name, _ in model.named_parameters()]
    optimiser = FlatAdam(SETTINGS, model)
    torch.testing.assert_close(losses(model), expected, rtol=0, atol=0)
    for _ in range(3):
        step(optimiser, losses(model))
    storage = optimiser.weights.untyped_storage().data_ptr()
    assert [name for name, _ in model.named_parameters()] == names
    for parameter in model.parameters():
        assert parameter.untyped_storage().data_ptr() == storage
        assert parameter.requires_grad
    total = sum(parameter[0].numel() for parameter in model.parameters())
    assert optimiser.weights.shape == (STACK, total)


def test_a_slice_of_a_model_in_training_sees_its_weights():
    model = mlp(STACK)
    optimiser = FlatAdam(SETTINGS, model)
    chosen = frozen(model, slice(1, 2))
    step(optimiser, losses(model))
    torch.testing.assert_close(chosen(X[1:2]), model(X)[1:2])


def test_a_restored_optimiser_goes_on_as_if_nothing_had_been():
    model, other = mlp(STACK), mlp(STACK, seed=50)
    optimiser = run(model, {3: [1]})
    saved = {name: value.clone() for name, value in optimiser.state().items()}
    resumed = FlatAdam(SETTINGS, other)
    resumed.restore(saved)
    for _ in range(5):
        step(optimiser, losses(model))
        step(resumed, losses(other))
    for found, expected in zip(other.parameters(), model.parameters(), strict=True):
        assert torch.equal(found, expected)
