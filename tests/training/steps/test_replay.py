"""Rows that joint training draws from the model's own density."""

import torch

from cftrain.data.sampling import training_rows
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from cftrain.training.steps.replay import (
    NOISE,
    RESTARTS,
    STEP_SIZE,
    STEPS,
    Replay,
    replay,
)
from tests.builders import blobs, linear, mlp, streams


def buffer(cells: int, rows: int = 40, features: int = 2) -> Replay:
    return Replay(
        buffer=torch.zeros(cells, rows, features, dtype=torch.float64),
        lower=torch.full((features,), -100.0, dtype=torch.float64),
        upper=torch.full((features,), 100.0, dtype=torch.float64),
        rows=rows,
    )


def test_chains_climb_the_density_as_langevin_dynamics_do():
    """Logits (3x, 3x + 1): the density's slope by x is 3, whatever the row."""
    weight = torch.zeros(1, 2, 2, dtype=torch.float64)
    weight[..., 0] = 3
    bias = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    made = buffer(1)
    found, _ = made.drawn(linear(weight, bias), [Stream(3)])
    kept = found[0][found[0, :, 1].abs() < 1]  # those that did not start anew
    assert len(kept) >= (1 - 4 * RESTARTS) * 40
    spread = 5 * NOISE * STEPS**0.5
    assert (kept[:, 0] - 3 * STEPS * STEP_SIZE).abs().max() < spread
    assert kept[:, 1].abs().max() < spread


def test_draws_go_on_where_the_last_ones_ended_and_stay_in_the_box():
    made = buffer(2)
    found, places = made.drawn(mlp(2, features=2, classes=3), streams(2))
    for cell in range(2):
        assert torch.equal(made.buffer[cell, places[cell]], found[cell])
    tight = Replay(made.buffer.clamp(-1, 1), made.lower / 100, made.upper / 100, 40)
    found, _ = tight.drawn(mlp(2, features=2, classes=3), streams(2))
    assert found.abs().max() <= 1


def test_a_cell_draws_the_same_alone():
    model = mlp(3, features=2, classes=3)
    whole, _ = buffer(3).drawn(model, streams(3))
    for cell in range(3):
        alone, _ = buffer(1).drawn(
            frozen(model, slice(cell, cell + 1)), streams(3)[cell : cell + 1]
        )
        torch.testing.assert_close(alone[0], whole[cell])


def test_an_interrupted_training_goes_on_with_its_buffer():
    made, other = buffer(1), buffer(1)
    made.drawn(mlp(1, features=2, classes=2), streams(1))
    other.restore(made.state())
    assert torch.equal(other.buffer, made.buffer)


def test_a_buffer_starts_uniformly_in_the_box_of_the_rows():
    rows = training_rows(blobs(), streams(2))
    made = replay(rows, 10, streams(2))
    features = rows.dataset.features
    assert made.buffer.shape == (2, len(rows), features.shape[1])
    assert (made.buffer >= features.amin(0)).all()
    assert (made.buffer <= features.amax(0)).all()
    assert made.rows == 10
