import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cftrain.config.build import build_object
from cftrain.config.identity import describe
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.data.order import order_warning
from cftrain.errors import DataError
from tests.data.pictures import making
from tests.data.pictures.making import image_set, write_folder, write_npz, write_parquet

PARTS = ("features", "labels", "test_features", "test_labels")


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_folder(tmp_path / "digits", *making.digits())


def same_rows(one: Dataset, other: Dataset) -> bool:
    return all(torch.equal(getattr(one, part), getattr(other, part)) for part in PARTS)


def test_a_folder_arrays_and_parquet_have_the_same_rows(folder, tmp_path):
    pixels, labels = making.digits()
    whole = [int(label) for label in labels]
    others = [
        write_npz(tmp_path / "a.npz", pixels, whole),
        write_npz(tmp_path / "b.npz", pixels[..., None], labels),
        write_npz(tmp_path / "c.npz", pixels, labels, image="x", label="y"),
        write_parquet(tmp_path / "d.parquet", pixels, whole),
        write_parquet(tmp_path / "e.parquet", pixels, labels, nested=True),
    ]
    first = image_set(folder).load()
    assert first.labelled == tuple("0123456789")
    for path in others:
        found = image_set(path).load()
        assert same_rows(first, found), path
        assert found.labelled == first.labelled


def test_every_image_is_in_one_part_and_scaled_without_loss(folder):
    pixels, labels = making.digits()
    spec = image_set(folder)
    dataset = spec.load()
    assert (spec.training_rows, spec.validation_rows) == (140, 20)
    assert dataset.image_shape == (8, 8)
    raw = np.concatenate(
        [
            dataset.units.decode(rows).to_numpy()
            for rows in (dataset.features, dataset.test_features)
        ]
    )
    found = zip(
        map(bytes, raw.astype(np.uint8)),
        [*dataset.labels.tolist(), *dataset.test_labels.tolist()],
        strict=True,
    )
    there = zip(map(bytes, pixels.reshape(-1, 64)), map(int, labels), strict=True)
    assert Counter(found) == Counter(there)
    assert np.array_equal(raw, np.rint(raw)), "128 stays 128"
    assert Counter(dataset.test_labels.tolist()) == dict.fromkeys(range(10), 4)
    assert order_warning(dataset, batch_rows=20) is None


def test_the_scale_is_from_minus_one_to_one(tmp_path):
    pixels = np.zeros((40, 1, 3), dtype=np.uint8)
    pixels[:, 0] = [0, 51, 255]
    path = write_npz(tmp_path / "a.npz", pixels, ["a", "b"] * 20)
    dataset = image_set(path).load()
    expected = torch.tensor([-1.0, -0.6, 1.0]).expand(32, 3)
    torch.testing.assert_close(dataset.features, expected)
    limits = dataset.constraints
    assert (limits.lower == -1).all()
    assert (limits.upper == 1).all()


def test_channels_of_a_pixel_are_side_by_side(tmp_path):
    pixels, labels = making.patches()
    spec = image_set(write_folder(tmp_path / "p", pixels, labels), immutable_rows=(1,))
    dataset = spec.load()
    assert dataset.feature_names[:4] == (
        *("pixel_0_0_red", "pixel_0_0_green", "pixel_0_0_blue", "pixel_0_1_red"),
    )
    red = dataset.features[dataset.labels == 2].reshape(-1, 6, 5, 3)[:, 1:4, 1:4]
    assert (red[..., 0] > 0.4).all()
    assert (red[..., 1:] < -0.7).all()
    held = ~(dataset.constraints.may_increase | dataset.constraints.may_decrease)
    assert held.nonzero().flatten().tolist() == list(range(15, 30))
    wrong = replace(spec, immutable_rows=(6,))
    with pytest.raises(DataError, match="expected rows 0 to 5, got"):
        wrong.load()


def test_folders_train_and_test_are_the_parts(tmp_path):
    pixels, labels = making.patches()
    test = np.arange(len(labels)) % 4 == 0
    for name, rows in (("train", ~test), ("test", test)):
        of_part = [label for label, here in zip(labels, rows, strict=True) if here]
        write_folder(tmp_path / "set" / name, pixels[rows], of_part)
    spec = image_set(tmp_path / "set")
    dataset = spec.load()
    assert (spec.pool_share, spec.training_rows, spec.validation_rows) == (None, 39, 6)
    raw = dataset.units.decode(dataset.test_features).to_numpy().astype(np.uint8)
    assert np.array_equal(raw, pixels[test].reshape(15, -1))
    assert dataset.test_labels.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert order_warning(dataset, batch_rows=9) is None, "train is shuffled"


def test_images_are_made_to_fit_if_that_is_wanted(tmp_path):
    """A plane of one colour stays one: the grey of red is 0.299 of it."""
    pixels, labels = making.patches()
    pixels[:] = [200, 0, 0]
    path = write_folder(tmp_path / "set", pixels, labels)
    spec = image_set(path, size=(3, 9), channels=1)
    assert (spec.size, spec.channels, spec.resize, spec.recolour) == (
        *((3, 9), 1, True, True),
    )
    raw = spec.load().units.decode(spec.load().features).to_numpy()
    assert raw.shape == (48, 27)
    assert set(raw.ravel()) == {60}


def test_another_seed_is_another_split(folder):
    one, other = (image_set(folder, shuffle_seed=seed).load() for seed in (1, 2))
    assert not torch.equal(one.features, other.features)


def test_the_identity_is_that_of_what_is_parsed(folder):
    spec = image_set(folder)
    before = spec.identity()
    assert before.startswith("folder:")
    assert spec.load().identity == before
    path = folder / "3" / "0060.png"
    os.utime(path, (1, 1))
    (folder / "3" / ".DS_Store").write_bytes(b"x")
    renamed = path.rename(path.with_name("0060a.png"))
    assert spec.identity() == before
    content = renamed.read_bytes()
    renamed.write_bytes(making.encoded(np.zeros((8, 8), dtype=np.uint8)))
    assert spec.identity() != before
    renamed.write_bytes(content)
    assert spec.identity() == before
    renamed.rename(folder / "4" / "0060.png")
    assert spec.identity() != before


def test_where_images_lie_is_remembered_and_no_part_of_what_they_are(
    folder, tmp_path, monkeypatch
):
    monkeypatch.delenv("CFTRAIN_DATA", raising=False)
    spec = image_set(folder)
    assert str(tmp_path) not in repr(describe(spec))
    kept = describe(spec, remembered=True)
    assert build_object(kept, DatasetSpec, "data") == spec
    before = spec.load()
    (tmp_path / "elsewhere").mkdir()
    folder.rename(tmp_path / "elsewhere" / "digits")
    assert spec.located() is None
    with pytest.raises(DataError, match=r"expected images at .*digits, or of"):
        spec.load()
    moved = replace(spec, root=str(tmp_path / "elsewhere"))
    assert same_rows(moved.load(), before)


def test_images_that_came_later_are_noticed(folder):
    spec = image_set(folder)
    (folder / "3" / "new.png").write_bytes((folder / "4" / "0080.png").read_bytes())
    with pytest.raises(DataError, match="expected 200 images of 10 classes, got 201"):
        spec.load()


def test_a_file_in_the_place_of_a_folder_is_noticed(tmp_path):
    pixels, labels = making.patches()
    spec = image_set(write_folder(tmp_path / "set", pixels, labels))
    for part in ("train", "test"):
        write_folder(tmp_path / "other" / "set" / part, pixels, labels)
    other = replace(spec, path=str(tmp_path / "other" / "set"))
    with pytest.raises(DataError, match=r"declared .folder, without train and test"):
        other.load()
