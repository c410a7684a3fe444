from dataclasses import replace

import pytest
import torch

from cftrain.errors import DataError
from tests.builders import blobs


def spoilt(name: str, place: object, value: float) -> dict:
    part = getattr(blobs(), name).clone()
    part[place] = value
    return {name: part}


@pytest.mark.parametrize("part", ["pool", "test"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_features_have_to_be_finite(part, value):
    name = "features" if part == "pool" else "test_features"
    changed = spoilt(name, ([3, 3, 7], [0, 1, 2]), value)
    with pytest.raises(
        DataError, match=f"blobs, {part} rows: expected finite features, got 2 rows"
    ):
        replace(blobs(), **changed)


@pytest.mark.parametrize("part", ["pool", "test"])
@pytest.mark.parametrize("label", [-1, 3, 9])
def test_labels_have_to_be_classes(part, label):
    name = "labels" if part == "pool" else "test_labels"
    with pytest.raises(
        DataError, match=rf"blobs, {part} rows: expected labels 0 to 2, got \[{label}\]"
    ):
        replace(blobs(), **spoilt(name, 5, label))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("part", ["pool", "test"])
def test_every_row_needs_a_label(part):
    name = "labels" if part == "pool" else "test_labels"
    short = getattr(blobs(), name)[:-1]
    with pytest.raises(DataError, match=r"expected a label per row, got .* and .*"):
        replace(blobs(), **{name: short})


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ["features", "test_features"])
def test_rows_need_all_features(name):
    narrow = getattr(blobs(), name)[:, :-1]
    with pytest.raises(DataError, match="expected 4 features, got"):
        replace(blobs(), **{name: narrow})
    with pytest.raises(DataError, match="expected 4 features, got"):
        replace(blobs(), **{name: narrow[0]})


def test_a_moved_dataset_is_the_same():
    dataset = blobs()
    moved = dataset.to(torch.device("cpu"))
    assert torch.equal(moved.features, dataset.features)
    assert torch.equal(moved.test_labels, dataset.test_labels)
    assert moved.constraints.lower.dtype == torch.float64
    assert moved.feature_count == 4
