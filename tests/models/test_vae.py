import math
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from cftrain.errors import DataError
from cftrain.models import vae
from cftrain.models.vae import (
    VaeSpec,
    divergence_from_normal,
    draw,
    fit,
    fitted,
    initial,
    loss,
)
from tests.builders import integers, normal

SPEC = VaeSpec(
    latent=2,
    hidden=16,
    epochs=40,
    batch_rows=50,
    learning_rate=0.01,
    decoder_decay=0.01,
    seed=3,
)
QUICK = replace(SPEC, epochs=2, hidden=4)
CPU = torch.device("cpu")


def moons(rows: int = 600) -> torch.Tensor:
    """Two half circles, three times their usual size: above the noise of the loss."""
    angle = math.pi * torch.rand(rows, generator=torch.Generator().manual_seed(1))
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    lower = torch.stack([1 + angle.cos(), 0.3 - angle.sin()], 1)
    clean = torch.where(integers(2, rows, 1) == 0, upper, lower)
    return 3 * (clean + 0.1 * normal(rows, 2, seed=2, dtype=torch.float32))


@pytest.fixture(scope="module")
def network():
    return fit(SPEC, moons())


def as_before(one, other) -> bool:
    return one.weights.keys() == other.weights.keys() and all(
        torch.equal(one.weights[name], other.weights[name]) for name in one.weights
    )


def test_the_layers_are_those_of_the_paper(network):
    x, weights = normal(3, 5, 2, dtype=torch.float32), network.weights

    def dense(layer: str, rows: torch.Tensor) -> torch.Tensor:
        return rows @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]

    hidden = torch.sigmoid(dense("encoder", x))
    mean, log_sigma = network.encode(x)
    torch.testing.assert_close(mean, dense("mean", hidden))
    torch.testing.assert_close(log_sigma, dense("log_sigma", hidden))
    expected = dense("output", torch.tanh(dense("decoder", mean)))
    torch.testing.assert_close(network.decode(mean), expected)
    assert mean.shape == log_sigma.shape == (3, 5, 2)


def test_fits_lower_the_loss_and_reconstruct(network):
    x, noise = moons().unsqueeze(0), normal(1, 600, 2, dtype=torch.float32)
    start = initial(SPEC, features=2)
    before, after = (loss(v, x, noise, decoder_decay=0.01) for v in (start, network))
    assert after < before / 3
    of_the_mean = x.var(1, correction=0).sum()
    mean, log_sigma = network.encode(x)
    for state, share in ((mean, 0.1), (draw(mean, log_sigma, noise), 0.25)):
        error = (network.decode(state) - x).square().sum(-1).mean()
        assert error < share * of_the_mean


def test_the_divergence_is_that_of_two_gaussians():
    mean, log_sigma = normal(2, 5, 3), normal(2, 5, 3, seed=1)
    found = torch.distributions.Normal(mean, log_sigma.exp())
    standard = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    expected = torch.distributions.kl_divergence(found, standard).sum(-1)
    torch.testing.assert_close(divergence_from_normal(mean, log_sigma), expected)


def test_drawn_states_have_the_mean_and_deviation_of_the_posterior():
    mean, log_sigma = torch.tensor([[[1.0, -2.0]]]), torch.tensor([[[0.5, -1.0]]])
    noise = normal(1, 100_000, 2, dtype=torch.float32)
    drawn = draw(
        mean.expand_as(noise).clone(), log_sigma.expand_as(noise).clone(), noise
    )
    torch.testing.assert_close(drawn.mean(1), mean[0], rtol=0, atol=0.02)
    torch.testing.assert_close(drawn.std(1), log_sigma[0].exp(), rtol=0.02, atol=0)


def test_the_loss_is_error_plus_divergence_plus_decay(network):
    x, noise = moons(50).unsqueeze(0), normal(1, 50, 2, dtype=torch.float32)
    mean, log_sigma = network.encode(x)
    again = network.decode(draw(mean, log_sigma, noise))
    error = torch.nn.functional.mse_loss(again, x, reduction="sum") / 50
    divergence = divergence_from_normal(mean, log_sigma).mean()
    norm = sum(
        network.weights[f"{layer}.{kind}"].norm() ** 2
        for layer in ("decoder", "output")
        for kind in ("weight", "bias")
    )
    found = loss(network, x, noise, decoder_decay=0.5)
    torch.testing.assert_close(found, error + divergence + 0.5 * norm)


def test_fits_repeat_and_follow_the_seed_alone():
    rows = moons(120)
    torch.manual_seed(0)
    first = fit(QUICK, rows)
    torch.manual_seed(1)
    with torch.no_grad():
        again = fit(QUICK, rows.double())
    assert as_before(first, again)
    assert not as_before(first, fit(replace(QUICK, seed=4), rows))
    assert torch.rand(1) == torch.rand(1, generator=torch.Generator().manual_seed(1))


def test_a_fit_is_that_of_a_library_optimiser_step_by_step():
    """One batch an epoch, whose order does not matter, without noise of its own."""
    spec = replace(QUICK, batch_rows=1000, epochs=3)
    rows = moons(60)
    expected = initial(spec, features=2)
    weights = [w.requires_grad_() for w in expected.weights.values()]
    optimiser = torch.optim.Adam(weights, lr=0.01)
    for epoch in (1, 2, 3):
        generator = vae._stream(spec).child("epoch", epoch).generator()
        order = torch.randperm(60, generator=generator)
        noise = torch.randn(1, 60, 2, generator=generator)
        optimiser.zero_grad()
        loss(expected, rows[order][None], noise, decoder_decay=0.01).backward()
        optimiser.step()
    found = fit(spec, rows)
    for name, weight in expected.weights.items():
        torch.testing.assert_close(found.weights[name], weight.detach())


def test_rows_differentiate_through_both_halves_and_weights_do_not(network):
    exact = network.to(dtype=torch.float64, device=CPU)
    x, state = normal(3, 4, 2).requires_grad_(), normal(3, 4, 2).requires_grad_()
    torch.autograd.gradcheck(exact.encode, x)
    torch.autograd.gradcheck(exact.decode, state)
    assert not any(weight.requires_grad for weight in exact.weights.values())


def test_cells_share_the_network(network):
    x = normal(3, 4, 2, dtype=torch.float32)
    for cell in range(3):
        alone = network.decode(network.encode(x[cell : cell + 1])[0])
        torch.testing.assert_close(network.decode(network.encode(x)[0])[cell], alone[0])


def test_a_second_call_reads_the_file_and_gets_the_same_bits(tmp_path, monkeypatch):
    folder, rows = tmp_path / "new" / "cache", moons(120)
    first = fitted(QUICK, rows, folder)
    assert as_before(first, fit(QUICK, rows))
    assert len(list(folder.iterdir())) == 1
    monkeypatch.delattr(vae, "fit")
    assert as_before(first, fitted(QUICK, rows, folder))


def test_other_rows_or_specifications_have_their_own_file(tmp_path):
    rows = moons(120)
    other = rows.clone()
    other[7, 1] += 1e-3
    fitted(QUICK, rows, tmp_path)
    fitted(QUICK, other, tmp_path)
    fitted(replace(QUICK, decoder_decay=0.02), rows, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("rows", r"expected a VAE with rows 120 x 2.*got 60 x 2.*delete the file"),
        ("spec", r"expected a VAE with spec .*\"seed\": 3.*got .*\"seed\": 4"),
        ("format", r"expected a VAE with format cftrain-vae-1, got cftrain-vae-0"),
    ],
)
def test_a_file_of_another_fit_is_refused_and_stays(
    tmp_path, monkeypatch, key, message
):
    here, there = tmp_path / "here", tmp_path / "there"
    fitted(QUICK, moons(120), here)
    spec, rows = QUICK, moons(120)
    if key == "rows":
        rows = moons(60)
    elif key == "spec":
        spec = replace(QUICK, seed=4)
    else:
        monkeypatch.setattr(vae, "FORMAT", "cftrain-vae-0")
    fitted(spec, rows, there)
    monkeypatch.undo()
    path = only_file(here)
    path.write_bytes(only_file(there).read_bytes())
    before = path.read_bytes()
    with pytest.raises(DataError, match=message):
        fitted(QUICK, moons(120), here)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", [0, 5, 200, -1])
def test_a_truncated_file_is_refused_and_stays(tmp_path, kept):
    fitted(QUICK, moons(120), tmp_path)
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"expected a readable file.*delete the file"):
        fitted(QUICK, moons(120), tmp_path)
    assert path.read_bytes() == before


def test_a_file_without_metadata_is_refused(tmp_path):
    fitted(QUICK, moons(120), tmp_path)
    path = only_file(tmp_path)
    safetensors.torch.save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(DataError, match=r"expected a VAE with format .*, got None"):
        fitted(QUICK, moons(120), tmp_path)


def test_the_file_says_what_it_was_fitted_to(tmp_path):
    fitted(QUICK, moons(120), tmp_path)
    with safe_open(only_file(tmp_path), framework="pt") as file:
        metadata = file.metadata()
    assert metadata["rows"].startswith("120 x 2, blake2b ")
    assert '"decoder_decay": 0.01' in metadata["spec"]


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_args, **_options) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", fail)
    with pytest.raises(DataError, match="expected a folder that can be written"):
        fitted(QUICK, moons(120), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "cache"
    path.touch()
    with pytest.raises(DataError, match="expected a folder that can be written"):
        fitted(QUICK, moons(120), path)


def test_rows_that_are_not_finite_or_not_there_are_refused():
    rows = moons(120)
    rows[3, 1] = torch.nan
    with pytest.raises(DataError, match="got 120 rows with 1 non-finite numbers"):
        fit(QUICK, rows)
    with pytest.raises(DataError, match="got 0 rows"):
        fit(QUICK, rows[:0])


@pytest.mark.parametrize(("scale", "learning_rate"), [(1e30, 0.01), (1.0, 1e30)])
def test_a_fit_that_diverges_is_refused(scale, learning_rate):
    spec = replace(QUICK, learning_rate=learning_rate, batch_rows=30)
    with pytest.raises(DataError, match=r"expected a finite loss, got .*standardise"):
        fit(spec, scale * moons(120))
