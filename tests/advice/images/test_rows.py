"""Images are explained as files, arrays and encoded images as they are as tables."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cftrain.advice.images.rows import canvas_of, image_rows, of_images
from cftrain.advice.raw_rows import raw_rows
from cftrain.advice.stored import stored_model
from cftrain.advice.stored_model import StoredModel
from cftrain.data.told import Told
from cftrain.errors import DataError
from cftrain.results.store import Store
from tests.console import TINY, call
from tests.data.pictures import making
from tests.data.pictures.making import encoded, write_npz, write_parquet

PIXELS, LABELS = making.patches()
FEW = PIXELS[[3, 25, 47]]
GREY = making.digits()[0][0]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """Results of images that the training resized and made grey."""
    here = tmp_path_factory.mktemp("pictured")
    path = making.write_npz(here / "patches.npz", PIXELS, LABELS)
    words = ("data.size=[4,7]", "data.channels=1", "schedule.batch_rows=20", *TINY)
    words = ("data=images", f"data.path={path}", "compare=none", *words)
    done = call("train", *words, cwd=here)
    assert done.code == 0, done.err
    return here / "outputs" / "patches"


@pytest.fixture(scope="module")
def model(results) -> StoredModel:
    store = Store(results)
    return stored_model(store, str(store.cells()["cell"].iloc[0]))


def strict(model: StoredModel) -> StoredModel:
    """The same, had the training images all been as it sees them."""
    data = replace(model.run.data, resize=False, recolour=False)
    return replace(model, run=replace(model.run, data=data))


def only(rows) -> tuple[Told, tuple[str, ...] | None]:
    (portion,) = rows
    assert portion.first_row == 0
    assert len(portion.rows) == rows.count
    return portion.rows, portion.names


def folder(here: Path, *inside: str) -> Path:
    for place, values in enumerate(FEW):
        path = here.joinpath("new", *inside, f"{place}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(values))
    return here / "new"


def test_every_form_is_what_a_table_of_its_pixels_is(model, tmp_path):
    album = image_rows(str(folder(tmp_path / "a")), model).album
    drawn = [canvas_of(model).drawn(item).ravel() for item in album.items()]
    table = pd.DataFrame(drawn, columns=list(model.codec.inputs))
    table.to_csv(tmp_path / "rows.csv", index=False)
    table.to_parquet(tmp_path / "rows.parquet")
    assert not of_images(str(tmp_path / "rows.csv"))
    assert not of_images(str(tmp_path / "rows.parquet"))
    with raw_rows(str(tmp_path / "rows.csv"), model.codec, groups=None) as rows:
        expected, _ = only(rows)
    forms = {
        write_npz(tmp_path / "a.npz", FEW, [1, 2, 3], label="nothing"): None,
        write_parquet(tmp_path / "b.parquet", FEW, ["x"] * 3, nested=True): None,
        tmp_path / "a" / "new": ("0.png", "1.png", "2.png"),
        folder(tmp_path / "b", "train", "x"): tuple(f"train/x/{k}.png" for k in "012"),
    }
    for path, expected_names in forms.items():
        assert of_images(str(path))
        found, names = only(image_rows(str(path), model))
        assert torch.equal(found.inputs, expected.inputs)
        assert found.raw.equals(expected.raw)
        assert names == expected_names
    found, names = only(image_rows(str(tmp_path / "a" / "new" / "1.png"), model))
    assert torch.equal(found.inputs, expected.inputs[1:2])
    assert names == ("1.png",)


def test_many_images_come_in_portions(model, tmp_path, monkeypatch):
    monkeypatch.setattr("cftrain.advice.images.rows.VALUES", 60)
    found = list(image_rows(str(write_npz(tmp_path / "a.npz", FEW, [1, 2, 3])), model))
    assert [(portion.first_row, len(portion.rows)) for portion in found] == [
        (0, 2),
        (2, 1),
    ]


def test_names_of_files_are_told_to_people_and_are_text(results, tmp_path):
    (tmp_path / "<b>x<\x1b[31m.png").write_bytes(encoded(FEW[0]))
    words = (str(results), f"rows={tmp_path}", "search.max_steps=9")
    done = call("explain", *words)
    assert done.code == 0, done.err
    assert done.out.startswith("row 1, <b>x<\\u001b[31m.png: ")
    page = call("explain", *words, "format=html").out
    assert "<h3>Row 1: &lt;b&gt;x&lt;" in page
    assert "<b>x" not in page
    message = call("explain", *words, "summary=true", "groups=pixel_0_0").message
    assert "groups: expected null for images" in message


def many(new: Path) -> None:
    for place in range(25):
        (new / f"{place:02}.png").write_bytes(encoded(GREY))


def other(content: bytes):
    def write(new: Path) -> None:
        (new / "a.png").write_bytes(content)

    return write


BAD = {
    "nothing": (lambda new: None, "new: expected images (.bmp, "),
    "text": (other(b"text"), "new/a.png: expected an image (BMP"),
    "half": (other(encoded(FEW[0])[:60]), "a.png: expected a whole image"),
    "size": (
        other(encoded(GREY)),
        "a.png: expected 4 x 7 pixels (height x width) as the model was trained on, "
        "got 8 x 8; resize it",
    ),
    "colour": (
        other(encoded(FEW[0])),
        "a.png: expected grey as the model was trained on, got RGB; convert it",
    ),
    "many": (many, "\nand 5 more"),
    "a pipe": (lambda new: os.mkfifo(new / "a.png"), "got a pipe"),
    "a link": (
        lambda new: (new / "a.png").symlink_to("/etc/passwd"),
        "new, got a link to /etc/passwd",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_images_that_a_model_cannot_take_are_refused(model, tmp_path, name):
    (tmp_path / "new").mkdir()
    spoil, reason = BAD[name]
    spoil(tmp_path / "new")
    with pytest.raises(DataError) as raised:
        image_rows(str(tmp_path / "new"), strict(model))
    assert reason in str(raised.value)


def test_arrays_and_columns_are_refused_by_name(model, tmp_path):
    np.savez(tmp_path / "a.npz", scans=GREY[None])
    with pytest.raises(DataError, match=r"rows: expected one of what .*\('scans'\)"):
        image_rows(str(tmp_path / "a.npz"), model)
    pd.DataFrame({"image": ["a.png"]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet: expected a column of encoded"):
        image_rows(str(tmp_path / "b.parquet"), model)
