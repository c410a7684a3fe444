"""A cell's numbers do not depend, beyond rounding, on its neighbours in the stack."""

import pytest
import torch
from torch import nn

from cftrain.data.sampling import training_rows
from cftrain.models.mlp import Mlp
from cftrain.training.history import COLUMNS, EpochRecord
from cftrain.training.trainer import Trainer
from tests import builders
from tests.builders import ecco, objective, schedule, stacked, vanilla

CELLS = [
    (0, objective(), builders.search()),
    (1, vanilla(), builders.search()),
    (2, objective(1.0, 0.5, 0.0, 0.3), builders.search(threshold=0.6, step_size=0.5)),
    (0, objective(1.0, 0.0, 2.0, 0.0), builders.search(epsilon=0.05)),
    (3, objective(0.5, 1.0, 0.1, 0.5), builders.search(ecco(0.1, 0.5), threshold=0.9)),
]
SPEC = Mlp(name="mlp", hidden=(8,), activation="relu")


def train(cells: list, dtype: torch.dtype) -> tuple[list[EpochRecord], nn.Module]:
    streams = [builders.streams(1, seed)[0] for seed, _, _ in cells]
    dataset = builders.blobs(dtype=dtype)
    model = SPEC.build(
        features=dataset.feature_count,
        classes=dataset.classes,
        streams=[s.child("weights") for s in streams],
    ).to(dtype)
    trainer = Trainer(
        rows=training_rows(dataset, [s.child("split") for s in streams]),
        search=stacked([search for _, _, search in cells], dtype),
        objective=stacked([weights for _, weights, _ in cells], dtype),
        schedule=schedule(epochs=2, learning_rate=0.003),
        streams=streams,
    )
    return trainer.train(model), model


NUMBERS = set(COLUMNS) - {"seconds"}
EXTRA_TERMS = {"divergence", "adversarial_loss", "ridge"}


def assert_cell(
    found: tuple,
    place: int,
    expected: tuple,
    tolerance: float,
    names: set[str] = NUMBERS,
) -> None:
    """The cell at that place of the stack is the only one of the other training."""
    for left, right in zip(
        found[1].parameters(), expected[1].parameters(), strict=True
    ):
        torch.testing.assert_close(left[place], right[0], rtol=0, atol=tolerance)
    for left, right in zip(found[0], expected[0], strict=True):
        for name in sorted(names):
            torch.testing.assert_close(
                getattr(left, name)[place].double(),
                getattr(right, name)[0].double(),
                rtol=0,
                atol=10 * tolerance,
                equal_nan=True,
                msg=name,
            )


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)]
)
def test_stacked_is_alone(dtype, tolerance):
    whole = train(CELLS, dtype)
    for place, cell in enumerate(CELLS):
        names = NUMBERS - EXTRA_TERMS if cell[1].name == "vanilla" else NUMBERS
        assert_cell(whole, place, train([cell], dtype), tolerance, names)


def test_a_vanilla_cell_reports_the_same_terms_alone_and_in_a_mixed_stack():
    whole = train(CELLS, torch.float64)
    assert_cell(whole, 1, train([CELLS[1]], torch.float64), 1e-12, EXTRA_TERMS)


def test_the_order_of_the_stack_does_not_matter():
    order = [3, 0, 4, 2, 1]
    whole = train(CELLS, torch.float64)
    shuffled = train([CELLS[place] for place in order], torch.float64)
    for place, origin in enumerate(order):
        for left, right in zip(
            shuffled[1].parameters(), whole[1].parameters(), strict=True
        ):
            torch.testing.assert_close(left[place], right[origin], rtol=0, atol=1e-12)


def test_equal_cells_are_equal_and_seeds_matter():
    _, model = train([CELLS[0], CELLS[0], (9, *CELLS[0][1:])], torch.float64)
    for parameter in model.parameters():
        torch.testing.assert_close(parameter[0], parameter[1], rtol=0, atol=1e-12)
    assert not torch.allclose(next(model.parameters())[0], next(model.parameters())[2])
