"""Pictures of stored models of two features."""

import shutil
from pathlib import Path

import pytest

from cftrain.errors import DataError
from cftrain.illustrations.drawable import drawable
from cftrain.illustrations.stored_boundaries import draw_boundaries
from cftrain.results.store import Store
from cftrain.summary.reading.collection import collect
from cftrain.training.restore import feature_names
from tests.commands.grids import SMALL
from tests.console import call

CREDIT = ("data=credit", "model=linear", "seed=1")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two seeds on Moons and, in another folder, a model of other data."""
    folder = tmp_path_factory.mktemp("results")
    small = [word for word in SMALL if not word.startswith(("grid=", "data="))]
    for name, words in (
        ("a", ("data=moons", "seed=1")),
        ("b", ("data=moons", "seed=2")),
        ("c", CREDIT),
    ):
        done = call("train", *small, *words, f"hydra.run.dir={folder / name}")
        assert done.code == 0, done.err
    return folder


def test_a_dataset_is_drawn_once(root, tmp_path):
    pictures = list(draw_boundaries(drawable(collect(root)), tmp_path))
    assert sorted(picture.files[0].name for picture in pictures) == [
        "boundary-train-credit.png",
        "boundary-train-moons.png",
    ]
    for picture in pictures:
        assert all(path.stat().st_size > 0 for path in picture.files)
        assert "BL and CT" in picture.caption


def test_names_of_features_stand_beside_the_weights(root):
    store = Store(root / "c")
    names = [feature_names(store, cell) for cell in store.cells()["cell"]]
    assert names == [["age", "debt"]] * 2


def test_without_the_data_there_is_no_picture(root, tmp_path, monkeypatch, capsys):
    def lost(*_: object) -> None:
        raise DataError("gone")

    monkeypatch.setattr("cftrain.illustrations.stored_boundaries.restore", lost)
    assert list(draw_boundaries(drawable(collect(root)), tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
    assert "no picture of the boundary on moons: gone" in capsys.readouterr().err


def test_of_other_data_or_weights_there_is_no_picture(root, tmp_path, capsys):
    copy = Path(shutil.copytree(root, tmp_path / "copy"))
    for store in (Store(copy / "a"), Store(copy / "b")):
        rows = store.cells().assign(data_identity="generated:other").astype(object)
        rows = rows.where(rows.notna(), None)
        for stack, own in rows.groupby("stack"):
            store.write("cells", stack, own.to_dict("records"))
    for path in (copy / "c" / "weights").iterdir():
        path.write_bytes(path.read_bytes()[:-4] + b"\xff\xff\xff\x7f")  # a NaN
    assert list(draw_boundaries(drawable(collect(copy)), tmp_path / "drawn")) == []
    said = capsys.readouterr().err
    assert "on moons: moons: expected the data generated:other" in said
    assert "its checksum differs" in said
