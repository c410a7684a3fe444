import pytest
import torch

from cftrain.training.history import COLUMNS, EpochRecord, as_records, as_tensor
from tests.builders import normal


def record(seed: int, dtype: torch.dtype = torch.float64) -> EpochRecord:
    values = normal(len(COLUMNS), 3, seed=seed, dtype=dtype)
    values[1, 0] = torch.nan
    return EpochRecord(**dict(zip(COLUMNS, values, strict=True)))


def test_a_history_survives_being_a_tensor():
    records = [record(1), record(2, torch.float32)]
    history = as_tensor(records, 3)
    assert history.shape == (2, 3, len(COLUMNS))
    assert history.dtype == torch.float64
    for found, expected in zip(as_records(history), records, strict=True):
        for name in COLUMNS:
            torch.testing.assert_close(
                getattr(found, name),
                getattr(expected, name).double(),
                rtol=0,
                atol=0,
                equal_nan=True,
            )


@pytest.mark.parametrize("stack", [1, 3])
def test_an_empty_history_is_a_tensor_too(stack):
    empty = as_tensor([], stack)
    assert empty.shape == (0, stack, len(COLUMNS))
    assert as_records(empty) == []
