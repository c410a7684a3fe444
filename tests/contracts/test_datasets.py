import pytest
import torch

from cftrain.data.sampling import training_rows
from cftrain.seeding import Stream
from tests.contracts.configured import names, run_with, values

GENERATED = [name for name in names("data") if "root" not in values("data", name)]
READ = [name for name in names("data") if name not in GENERATED]


def check(name: str) -> None:
    spec = run_with("data", name).data
    dataset = spec.load()
    assert spec.name == dataset.name == name
    assert spec.source() == dataset.source
    rows = spec.training_rows + spec.validation_rows
    assert dataset.features.shape == (rows, dataset.feature_count)
    assert len(dataset.test_features) > 0
    for part in (dataset.features, dataset.test_features):
        assert part.dtype == torch.float32
        assert torch.isfinite(part).all()
    for labels in (dataset.labels, dataset.test_labels):
        assert labels.unique().tolist() == list(range(dataset.classes))
    assert len(set(dataset.feature_names)) == dataset.feature_count
    if dataset.image_shape:
        assert dataset.image_shape[0] * dataset.image_shape[1] == dataset.feature_count

    limits = dataset.constraints
    assert limits.lower.shape == limits.upper.shape == (dataset.feature_count,)
    assert (limits.lower < limits.upper).all()
    pool = dataset.features.unsqueeze(0)
    assert not limits.violations(pool, pool).any(), "the pool lies in its own domain"

    split = training_rows(dataset, [Stream(1), Stream(2)])
    assert len(split) >= spec.training_rows
    assert len(split) + split.validation.shape[1] == rows

    again = spec.load()
    for part in ("features", "labels", "test_features", "test_labels"):
        assert torch.equal(getattr(again, part), getattr(dataset, part))


def test_there_are_datasets():
    assert "moons" in GENERATED
    assert "mnist" in READ


@pytest.mark.parametrize("name", GENERATED)
def test_generated_datasets(name):
    check(name)


@pytest.mark.data
@pytest.mark.parametrize("name", READ)
def test_datasets_that_are_read(name, data_root):
    check(name)
