"""Images that nobody has prepared: train on them, look at pictures of them."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.numpy import load_file

from tests.console import TINY, Outcome, call, files, read
from tests.data.pictures import making
from tests.data.pictures.making import write_folder, write_npz, write_parquet

QUICK = (*TINY, "schedule.batch_rows=20")
SHOWN = (
    *(word for word in QUICK if "gallery" not in word and "attributions" not in word),
    "evaluation.gallery.factuals=2",
    "evaluation.gallery.search.max_steps=5",
    "evaluation.attributions.steps=2",
)


def trained(here: Path, path: str, *words: str) -> Outcome:
    done = call(
        *("train", "data=images", f"data.path={path}", *words),
        cwd=here,
        CFTRAIN_DATA=None,
    )
    assert done.code == 0, done.err
    return done


def weights(folder: Path) -> list[dict[str, np.ndarray]]:
    """Of each model, by its objective."""
    cells = pd.read_parquet(folder / "cells").sort_values("objective")
    found = {path.stem: path for path in folder.rglob("*.safetensors")}
    return [load_file(found[cell]) for cell in cells["cell"]]


def test_folder_arrays_and_parquet_come_to_the_same_models(tmp_path):
    pixels, labels = making.digits()
    whole = [int(label) for label in labels]
    write_folder(tmp_path / "digits", pixels, labels)
    write_npz(tmp_path / "arrays.npz", pixels, whole)
    write_parquet(tmp_path / "rows.parquet", pixels, whole, nested=True)
    for path in ("digits", "arrays.npz", "rows.parquet"):
        told = trained(tmp_path, path, *QUICK).err
        assert f"{path}: 200 images" in told
        assert "140 training, 20 validation and 40 test rows" in told
    one, *others = (
        tmp_path / "outputs" / name for name in ("digits", "arrays", "rows")
    )
    for other in others:
        for mine, theirs in zip(weights(one), weights(other), strict=True):
            assert mine.keys() == theirs.keys()
            assert all(np.array_equal(mine[key], theirs[key]) for key in mine)
    identities = {
        pd.read_parquet(each / "cells")["data_identity"].iloc[0]
        for each in (one, *others)
    }
    assert {each.partition(":")[0] for each in identities} == {
        *("folder", "npz", "parquet"),
    }


@pytest.fixture(scope="module")
def coloured(tmp_path_factory) -> Path:
    """A folder with a convolutional model of images in colour."""
    here = tmp_path_factory.mktemp("coloured")
    write_folder(here / "patches", *making.patches())
    trained(here, "patches", "model=lenet", *SHOWN)
    return here


def test_pictures_are_drawn_in_colour_and_named(coloured):
    out = coloured / "outputs" / "patches"
    picture = np.asarray(Image.open(out / "figures" / "counterfactuals.png"))[..., :3]
    assert np.ptp(picture.astype(int), axis=-1).max() > 200, "some colours are strong"
    gallery = pd.read_parquet(out / "gallery")
    assert (gallery["height"] == 6).all()
    assert (gallery["width"] == 5).all()
    assert {len(values) for values in gallery["values"]} == {90}
    (config,) = {json.loads(text)["model"]["input_channels"] for text in configs(out)}
    assert config == 3
    assert json.loads(configs(out)[0])["data"]["classes"] == ["blue", "green", "red"]
    done = call("tables", "outputs", cwd=coloured)
    assert done.code == 0, done.err


def configs(folder: Path) -> list[str]:
    return list(pd.read_parquet(folder / "cells")["config"])


def test_what_was_found_out_is_recorded_and_found_again(coloured, tmp_path):
    words = (*SHOWN, "model=lenet")
    assert "done already" in trained(coloured, "patches", *words).out
    config = (coloured / "outputs" / "patches" / "config.yaml").read_text()
    assert "image_set.ImageSet" in config
    assert "said" not in config
    shutil.copytree(coloured / "outputs" / "patches", tmp_path / "results")
    for command in (
        ("verify", "results", "sample=1"),
        ("evaluate", "results", "evaluation=quick", "evaluation.rounds=1"),
        ("explain", "results", "test_rows=1", "target=red"),
        ("export", "results", "bundle"),
    ):
        done = call(*command, cwd=tmp_path, CFTRAIN_DATA=None)
        assert done.code == 0, done.err
    rows = pd.DataFrame(
        making.patches()[0][:2].reshape(2, -1),
        columns=[
            f"pixel_{row}_{column}_{end}"
            for row in range(6)
            for column in range(5)
            for end in ("red", "green", "blue")
        ],
    )
    rows.to_csv(tmp_path / "rows.csv", index=False)
    words = ("rows=rows.csv", "format=json", "target=green")
    one, other = (
        call("explain", folder, *words, cwd=tmp_path, CFTRAIN_DATA=None)
        for folder in ("results", "bundle")
    )
    assert one.out == other.out
    first = json.loads(one.out.splitlines()[0])
    assert first["given"]["pixel_0_0_red"] == int(rows.iloc[0, 0])
    for answer in first["answers"]:
        for change in answer["changes"]:
            assert isinstance(change["after"], int | float)
            assert change["after"] == int(change["after"]), "values stay whole"


def test_the_settings_follow_from_the_images(tmp_path):
    path = write_folder(tmp_path / "set", *making.patches(40))
    run, options = read("data=images", f"data.path={path}")
    assert (run.schedule.batch_rows, run.schedule.counterfactuals) == (16, 84)
    assert run.schedule.keep == "one_standard_error"
    assert (options.evaluation.rounds, options.evaluation.gallery.factuals) == (20, 4)
    run, _ = read("data=images", f"data.path={path}", "model=lenet")
    assert (run.model.image, run.model.input_channels) == ((6, 5), 3)


def fifo(here: Path) -> None:
    os.mkfifo(here / "set" / "blue" / "0.png")


def link(here: Path) -> None:
    (here / "set" / "blue" / "0.png").symlink_to("/etc/passwd")


def shrunk(here: Path) -> None:
    path = here / "set" / "red" / "0059.png"
    path.write_bytes(path.read_bytes()[:70])


def gone(here: Path) -> None:
    shutil.rmtree(here / "set")


def nothing(here: Path) -> None:
    pass


BAD: dict[str, tuple[Callable[[Path], None], tuple[str, ...], str]] = {
    "a pipe": (fifo, (), "set/blue/0.png: expected a regular file, got a pipe"),
    "a link": (link, (), "set/blue/0.png: expected files of set, got a link to /etc/p"),
    "a truncated file": (shrunk, (), "set/red/0059.png: expected a whole image"),
    "no folder": (gone, (), "data.path: expected a folder with a folder of images"),
    "small": (
        nothing,
        ("model=lenet", "data.size=[3,9]"),
        "model.image: expected at least 4 pixels a side",
    ),
    "channels": (nothing, ("data.channels=2",), "data.channels: expected one of 1, 3"),
    "classes": (nothing, ("data.classes=[red]",), "data.classes: expected the classes"),
    "memory": (nothing, ("data.most_memory=1e-6",), "data.most_memory"),
    "no image": (nothing, ("data.size=[0,3]",), "data.size.0: expected a whole number"),
    "a key": (nothing, ("data.sizes=3",), "sizes"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_images_are_refused_and_leave_nothing(tmp_path, name):
    spoil, words, reason = BAD[name]
    write_folder(tmp_path / "set", *making.patches())
    spoil(tmp_path)
    before = {path for path in tmp_path.rglob("*") if not path.is_dir()}
    words = ("train", "data=images", "data.path=set", *words)
    done = call(*words, cwd=tmp_path, CFTRAIN_DATA=None)
    said = done.err[done.err.index("cftrain: ") :]
    assert done.code == 2
    assert reason in said
    assert "Traceback" not in done.err
    assert before == {path for path in tmp_path.rglob("*") if not path.is_dir()}


def test_a_path_is_needed():
    done = call("train", "data=images")
    assert "data.path: expected a value, as in data=images data.path=digits" in (
        done.message
    )


def test_without_pillow_it_is_asked_for(tmp_path, monkeypatch):
    write_folder(tmp_path / "set", *making.patches())
    monkeypatch.setitem(sys.modules, "PIL", None)
    done = call("train", "data=images", "data.path=set", cwd=tmp_path)
    assert "pip install 'cftrain[images]'" in done.message
    assert "outputs" not in str(list(files(tmp_path)))
