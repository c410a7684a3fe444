from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.maturity import Never
from cftrain.counterfactuals.space import FeatureSpace, Noise
from cftrain.errors import StackError
from cftrain.generators.latent import LatentSpace
from cftrain.models.stack_slicing import frozen
from cftrain.models.vae import Vae, VaeSpec, initial
from cftrain.seeding import Stream
from tests import builders
from tests.builders import (
    CLASSES,
    FEATURES,
    constraints,
    ecco,
    generic,
    integers,
    normal,
    stacked,
    streams,
)

SPEC = VaeSpec(
    latent=2,
    hidden=5,
    epochs=2,
    batch_rows=16,
    learning_rate=0.01,
    decoder_decay=0.01,
    seed=3,
)
STACK, ROWS = 2, 7
X, TARGET = normal(STACK, ROWS, FEATURES, seed=1), integers(CLASSES, STACK, ROWS)
CPU = torch.device("cpu")


def network() -> Vae:
    """Not fitted, but as good for algebra."""
    return initial(SPEC, features=FEATURES).to(dtype=torch.float64, device=CPU)


def latent(encoding: str = "mean") -> LatentSpace:
    return LatentSpace(encoding=encoding, vae=SPEC, network=network())


def revise(encoding: str = "mean", weight: float = 0.1) -> Generator:
    """The generic loss in the latent space."""
    return replace(generic(weight), space=latent(encoding))


def noise(seed: int = 1) -> Noise:
    return Noise(stream=Stream(seed), rows=ROWS, index=torch.arange(ROWS))


def search(generator: Generator, **changed):
    changed = {"threshold": 0.6, "step_size": 0.5, "max_steps": 12} | changed
    return builders.search(generator, **changed)


def run(found, limits=None, cells: slice = slice(0, STACK)):
    return found(
        frozen(builders.mlp(STACK, scale=2.0), cells),
        X[cells],
        TARGET[cells],
        constraints=limits or builders.free(),
        streams=streams(STACK)[cells],
    )


def test_a_state_is_the_mean_or_a_draw_of_the_posterior():
    mean, log_sigma = network().encode(X[:1])
    assert torch.equal(latent("mean").encode(X[:1], noise()), mean)
    drawn = latent("sample").encode(X[:1], noise())
    expected = mean + log_sigma.exp() * noise().normal(2, like=mean)
    torch.testing.assert_close(drawn, expected)
    assert not torch.equal(latent("sample").encode(X[:1], noise(2)), drawn)


def test_rows_are_seen_as_they_are_with_the_slope_of_the_decoder():
    state = normal(1, ROWS, 2, seed=4).requires_grad_()
    seen = latent().view(state, X[:1])
    torch.testing.assert_close(seen, X[:1], rtol=0, atol=1e-15)
    weight = normal(1, ROWS, FEATURES, seed=5)
    (slope,) = torch.autograd.grad((weight * seen).sum(), state)
    decoded = network().decode(state)
    (expected,) = torch.autograd.grad((weight * decoded).sum(), state)
    torch.testing.assert_close(slope, expected)


def test_the_way_back_is_that_of_automatic_differentiation_to_the_bit():
    state = normal(1, ROWS, 2, seed=4).requires_grad_()
    by_rows = normal(1, ROWS, FEATURES, seed=5)
    seen = latent().view(state, X[:1])
    (expected,) = torch.autograd.grad(seen, state, by_rows)
    assert torch.equal(latent().pull_back(state.detach(), by_rows), expected)


def test_a_step_moves_to_the_decoded_state():
    state, step = normal(1, ROWS, 2, seed=4), normal(1, ROWS, 2, seed=5)
    moved = X[:1] + latent().move(state, step, X[:1])
    torch.testing.assert_close(moved, network().decode(state + step))


def plain_walk(
    x: Tensor, cell: int, target: int, steps: int, energy_weight: float = 0.0
) -> Tensor:
    """Some steps of one row, written out; encoded by the mean, without distance."""
    vae, model = network(), builders.mlp(STACK, scale=2.0)
    for _ in range(steps):
        at = torch.zeros(STACK, 1, FEATURES, dtype=torch.float64)
        at[cell, 0] = x
        at.requires_grad_()
        logits = model(at)[cell, 0]
        surprise, energy = -logits.log_softmax(-1)[target], -logits[target]
        total = surprise + energy_weight * (energy + 0.001 * energy**2)
        slope = torch.autograd.grad(total, at)[0][cell, 0]
        state = vae.encode(x.view(1, 1, -1))[0].flatten()
        decoder = torch.autograd.functional.jacobian(
            lambda z: vae.decode(z.view(1, 1, -1)).flatten(), state
        )
        state = state - 0.5 * decoder.T @ slope
        x = vae.decode(state.view(1, 1, -1)).flatten().clamp(-1.5, 1.5)
    return x


@pytest.mark.parametrize("steps", [1, 4])
def test_searches_agree_with_a_loop_over_rows(steps):
    limits = constraints(["free"] * FEATURES, -1.5, 1.5)
    found = run(search(revise(weight=0.0), maturity=Never(), max_steps=steps), limits)
    for cell in range(STACK):
        for row in range(ROWS):
            expected = plain_walk(X[cell, row], cell, int(TARGET[cell, row]), steps)
            torch.testing.assert_close(found.counterfactual[cell, row], expected)


def test_every_loss_can_be_descended_in_the_latent_space():
    limits = constraints(["free"] * FEATURES, -1.5, 1.5)
    generator = replace(ecco(0.0, 0.7, "constant"), space=latent())
    found = run(search(generator, maturity=Never(), max_steps=4), limits)
    for cell in range(STACK):
        for row in range(ROWS):
            expected = plain_walk(X[cell, row], cell, int(TARGET[cell, row]), 4, 0.7)
            torch.testing.assert_close(found.counterfactual[cell, row], expected)


@pytest.mark.parametrize("encoding", ["mean", "sample"])
def test_latent_searches_respect_box_and_mutability(encoding):
    limits = constraints(["immutable", "increase", "decrease", "free"], -1, 1)
    found = run(search(revise(encoding), maturity=Never()), limits)
    assert not limits.violations(found.counterfactual, X).any()
    assert torch.equal(found.counterfactual[..., 0], X[..., 0])
    assert (found.counterfactual[..., 3] != X[..., 3]).all()


@pytest.mark.parametrize("encoding", ["mean", "sample"])
def test_a_cell_is_searched_as_it_is_alone(encoding):
    whole = run(search(revise(encoding)))
    for cell in range(STACK):
        alone = run(search(revise(encoding)), cells=slice(cell, cell + 1))
        assert torch.equal(whole.counterfactual[cell], alone.counterfactual[0])
        assert torch.equal(whole.mature[cell], alone.mature[0])


def test_fitting_gives_a_network_and_sharing_hands_it_on(tmp_path):
    unfitted = replace(latent(), network=None)
    fitted = replace(revise(), space=unfitted).fitted(X[0], tmp_path)
    assert fitted.space.network is not None
    assert next(iter(fitted.space.network.weights.values())).dtype == X.dtype
    unfitted = replace(latent("sample"), network=None)
    other = replace(generic(0.7), space=unfitted).sharing(fitted)
    assert other.space.network is fitted.space.network
    assert (other.space.encoding, other.distance_weight) == ("sample", 0.7)


def test_cells_of_a_stack_share_one_network():
    other = replace(latent(), vae=replace(SPEC, latent=3))
    with pytest.raises(StackError, match="expected equal VAEs"):
        other.sharing(latent())
    with pytest.raises(StackError, match="expected equal VAEs"):
        latent().sharing(FeatureSpace())


def test_without_a_network_nothing_is_searched():
    unfitted = replace(latent(), network=None)
    with pytest.raises(StackError, match="expected a fitted VAE, got none"):
        run(search(replace(revise(), space=unfitted)))


def test_stacked_hyperparameters_are_those_of_each_cell():
    shared = revise(weight=0.0)
    members = [search(shared), search(replace(shared, distance_weight=1.0))]
    whole = run(stacked(members))
    for cell, member in enumerate(members):
        alone = run(member, cells=slice(cell, cell + 1))
        torch.testing.assert_close(whole.counterfactual[cell], alone.counterfactual[0])
