import pytest
import torch
from torch.autograd import gradcheck

from cftrain.counterfactuals.generator import Progress
from tests.builders import ecco, generic, integers, normal, stacked

LOGITS, TARGET = normal(2, 3, 3), integers(3, 2, 3, seed=1)
X, FACTUAL = normal(2, 3, 4, seed=2), normal(2, 3, 4, seed=3)


def loss(generator, step=0, max_steps=30, logits=LOGITS, x=X):
    progress = Progress(step=step, max_steps=max_steps)
    return generator.loss(logits, TARGET, x, FACTUAL, progress=progress)


@pytest.mark.parametrize(
    ("step", "max_steps", "phi"),
    [(0, 30, 0.05359), (29, 30, 0.00455), (0, 50, 0.07441), (99, 100, 0.00612)],
)
def test_the_loss_is_the_generic_one_plus_a_fading_energy_constraint(
    step, max_steps, phi
):
    found = loss(ecco(0.3, 2.0), step, max_steps) - loss(generic(0.3), step, max_steps)
    energy = -LOGITS.gather(-1, TARGET.unsqueeze(-1)).squeeze(-1)
    expected = 2 * phi * (energy + 0.001 * energy**2)
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("step", [0, 7, 29])
def test_a_constant_schedule_has_the_plain_weight(step):
    found = loss(ecco(0.3, 2.0, "constant"), step) - loss(generic(0.3), step)
    energy = -LOGITS.gather(-1, TARGET.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(found, 2 * (energy + 0.001 * energy**2))


def test_without_weight_or_with_few_steps_it_is_generic():
    assert torch.equal(loss(ecco(0.3, 0.0)), loss(generic(0.3)))
    assert torch.equal(loss(ecco(0.3, 9.0), max_steps=12), loss(generic(0.3)))


def test_every_cell_has_its_own_weights():
    members = [ecco(0.2, 1.0), ecco(3.0, 7.0)]
    found = loss(stacked(members))
    for cell, member in enumerate(members):
        torch.testing.assert_close(found[cell], loss(member)[cell])


def test_gradients_agree_with_finite_differences():
    inputs = LOGITS.clone().requires_grad_(), X.clone().requires_grad_()
    for schedule in ("decay", "constant"):
        generator = ecco(0.7, 3.0, schedule)
        assert gradcheck(
            lambda logits, x, g=generator: loss(g, 4, 30, logits, x), inputs
        )
