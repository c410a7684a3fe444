import foolbox
import pytest
import torch
from torch import Tensor

from cftrain.counterfactuals.attacks import Attack, Fgsm, Pgd
from cftrain.data.constraints import Constraints
from cftrain.models.stack_slicing import frozen
from tests.builders import blobs, constraints, free, linear, mlp, normal

PGD = Pgd(steps=7, step_size=0.02, seed=3)
ATTACKS = [Fgsm(), PGD]
LIMITS = constraints(["increase", "decrease", "immutable", "free"], -1.0, 1.0)


def attacked(
    attack: Attack,
    classifier: torch.nn.Module,
    x: Tensor,
    label: Tensor,
    epsilon: float,
    limits: Constraints | None = None,
    start: Tensor | None = None,
) -> Tensor:
    """The rows attacked through every cell, without constraints unless given."""
    stack = next(classifier.parameters()).shape[0]
    return attack(
        classifier,
        x.expand(stack, -1, -1),
        label.expand(stack, -1),
        attack.starts(x) if start is None else start,
        epsilon=epsilon,
        constraints=limits or free(x.shape[1]),
    )


class _Plain(torch.nn.Module):
    """A stack of one as a model of (row, feature)."""

    def __init__(self, stack_of_one: torch.nn.Module) -> None:
        super().__init__()
        self.stack_of_one = stack_of_one

    def forward(self, x: Tensor) -> Tensor:
        return self.stack_of_one(x.unsqueeze(0)).squeeze(0)


@pytest.mark.parametrize("epsilon", [0.0, 0.03, 0.5])
@pytest.mark.parametrize("cell", [0, 2])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Fgsm(), foolbox.attacks.LinfFastGradientAttack(random_start=False)),
        (
            PGD,
            foolbox.attacks.LinfProjectedGradientDescentAttack(
                abs_stepsize=0.02, steps=7, random_start=False
            ),
        ),
    ],
)
def test_attacks_from_the_row_itself_are_those_of_foolbox(ours, theirs, cell, epsilon):
    classifier, data = mlp(3, scale=3.0), blobs()
    x, label = data.features, data.labels
    model = foolbox.PyTorchModel(
        _Plain(frozen(classifier, [cell])).eval(),
        bounds=(-1e3, 1e3),
        device=torch.device("cpu"),
    )
    _, expected, _ = theirs(model, x, label, epsilons=epsilon)
    found = attacked(ours, classifier, x, label, epsilon, start=torch.zeros_like(x))
    torch.testing.assert_close(found[cell], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_linear_model_of_two_classes_has_a_closed_form(attack):
    """The loss of class 0 rises along the difference of the weights, all the way."""
    weight = torch.tensor([[[1.0, -2.0, 0.0], [0.5, 1.0, 0.0]]], dtype=torch.float64)
    classifier = linear(weight, torch.zeros(1, 2, dtype=torch.float64))
    x = normal(6, 3, seed=1)
    label = torch.tensor([0, 0, 0, 1, 1, 1])
    away = torch.tensor([-1.0, 1.0, 0.0], dtype=torch.float64)
    signs = torch.tensor([1.0, 1, 1, -1, -1, -1], dtype=torch.float64)
    expected = x + 0.1 * away * signs.view(6, 1)
    start = torch.zeros_like(x)
    found = attacked(attack, classifier, x, label, 0.1, start=start)[0]
    torch.testing.assert_close(found, expected)


def test_starts_are_uniform_in_the_ball_and_a_function_of_the_seed():
    rows = normal(4000, 3)
    start = PGD.starts(rows)
    assert torch.equal(start, PGD.starts(rows + 1))
    assert not torch.equal(start, Pgd(steps=7, step_size=0.02, seed=4).starts(rows))
    assert start.min() >= -1
    assert start.max() <= 1
    assert start.mean().abs() < 0.02
    assert (start.var() - 1 / 3).abs() < 0.01
    assert (Fgsm().starts(rows) == 0).all()


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("epsilon", [0.0, 0.05])
def test_no_feature_leaves_the_ball(attack, epsilon):
    classifier, data = mlp(2, scale=3.0), blobs()
    for limits in (None, LIMITS):
        found = attacked(
            attack, classifier, data.features, data.labels, epsilon, limits
        )
        assert (found - data.features).abs().max() <= epsilon + 1e-15


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_constrained_attack_breaks_no_constraint(attack):
    classifier, data = mlp(2, scale=3.0), blobs()
    x = data.features.clamp(-1, 1)
    found = attacked(attack, classifier, x, data.labels, 0.3, LIMITS)
    move = found - x
    assert not LIMITS.violations(found, x.expand(2, -1, -1), tolerance=0).any()
    assert (move[..., 0] > 0).any()
    assert (move[..., 1] < 0).any()
    assert (move[..., 3].abs() > 0).any()
    free_move = attacked(attack, classifier, x, data.labels, 0.3) - x
    assert (free_move[..., 2].abs() > 0).any()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_raises_the_loss(attack):
    classifier, data = mlp(2), blobs()
    x, label = data.features, data.labels
    start = torch.zeros_like(x)
    with torch.no_grad():
        moved = attacked(attack, classifier, x, label, 1e-4, start=start)
        losses = [
            torch.nn.functional.cross_entropy(
                classifier(rows).mT, label.expand(2, -1), reduction="none"
            )
            for rows in (x.expand(2, -1, -1), moved)
        ]
    assert (losses[1] > losses[0]).all()
    assert not moved.requires_grad


@pytest.mark.parametrize("attack", ATTACKS)
def test_cells_are_attacked_as_if_alone(attack):
    classifier, data = mlp(3, scale=2.0), blobs()
    together = attacked(attack, classifier, data.features, data.labels, 0.1, LIMITS)
    for cell in range(3):
        alone = attacked(
            attack,
            frozen(classifier, [cell]),
            data.features,
            data.labels,
            0.1,
            LIMITS,
        )
        torch.testing.assert_close(together[[cell]], alone)
