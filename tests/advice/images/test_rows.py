"""Images are explained as files, arrays and encoded images as they are as tables."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.console import TINY, call
from tests.data.pictures import making
from tests.data.pictures.making import encoded, write_npz, write_parquet

QUICK = ("schedule.batch_rows=20", "schedule.epochs=3", *TINY)
PIXELS, LABELS = making.patches()
FEW = PIXELS[[3, 25, 47]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a model of grey digits, and one of images in colour."""
    here = tmp_path_factory.mktemp("pictured")
    making.write_folder(here / "patches", PIXELS, LABELS)
    making.write_npz(here / "digits.npz", *making.digits())
    for path, words in (
        ("patches", ("data.size=[4,7]", "data.channels=1")),
        ("digits.npz", ()),
        ("patches", ("hydra.run.dir=outputs/coloured",)),
    ):
        done = call("train", "data=images", f"data.path={path}", *words, *QUICK, cwd=here)
        assert done.code == 0, done.err
    return here


def told(here: Path, rows: Path, *words: str) -> list[dict]:
    words = (f"rows={rows}", "format=json", *words)
    done = call("explain", "outputs/coloured", *words, cwd=here)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def table(path: Path, pixels: np.ndarray) -> Path:
    _, height, width, _ = pixels.shape
    names = [
        f"pixel_{row}_{column}_{end}"
        for row in range(height)
        for column in range(width)
        for end in ("red", "green", "blue")
    ]
    frame = pd.DataFrame(pixels.reshape(len(pixels), -1), columns=names)
    write = frame.to_parquet if path.suffix == ".parquet" else frame.to_csv
    write(path, index=False)
    return path


def folder(here: Path, nested: bool = False) -> Path:
    for place, values in enumerate(FEW):
        inside = here / "new" / str(place) if nested else here / "new"
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"{place}.png").write_bytes(encoded(values))
    return here / "new"


def test_every_form_is_told_as_a_table_of_pixels_is(trained, tmp_path):
    expected = told(trained, table(tmp_path / "rows.csv", FEW))
    assert any(each["answers"] for each in expected)
    assert "name" not in expected[0]
    forms = {
        "arrays": write_npz(tmp_path / "a.npz", FEW, [1, 2, 3], label="nothing"),
        "encoded": write_parquet(tmp_path / "b.parquet", FEW, ["x"] * 3, nested=True),
        "pixels": table(tmp_path / "c.parquet", FEW),
    }
    for rows in forms.values():
        assert told(trained, rows) == expected
    for nested, names in ((False, ["0.png", "1.png", "2.png"]), (True, ["0/0.png"])):
        found = told(trained, folder(tmp_path / str(nested), nested))
        assert [each.pop("name") for each in found][: len(names)] == names
        assert found == expected
    (one,) = told(trained, tmp_path / "False" / "new" / "1.png")
    assert one.pop("name") == "1.png"
    assert one == expected[1] | {"row": 0}


def test_names_of_files_are_told_to_people_and_are_text(trained, tmp_path):
    path = tmp_path / "<b>x</b>\x1b[31m.png"
    path.write_bytes(encoded(FEW[0]))
    done = call("explain", "outputs/coloured", f"rows={tmp_path}", cwd=trained)
    assert done.out.startswith("row 1, <b>x</b>\\u001b[31m.png: ")
    words = (f"rows={tmp_path}", "format=html")
    page = call("explain", "outputs/coloured", *words, cwd=trained).out
    assert "<h3>Row 1: &lt;b&gt;x" in page
    assert "<b>x</b>" not in page


def test_what_training_resized_and_converted_is_here_too(trained, tmp_path):
    (tmp_path / "large.png").write_bytes(encoded(np.tile(FEW[0], (3, 2, 1))))
    words = (f"rows={tmp_path / 'large.png'}", "format=json")
    done = call("explain", "outputs/patches", *words, cwd=trained)
    assert done.code == 0, done.err
    assert len(json.loads(done.out)["given"]) == 28


def many(here: Path) -> None:
    for place in range(25):
        (here / "new" / f"{place:02}.png").write_bytes(encoded(FEW[0]))


def other(name: str, content: bytes):
    def write(here: Path) -> None:
        (here / "new" / name).write_bytes(content)

    return write


BAD = {
    "no folder": (lambda here: (here / "new").rmdir(), "expected a readable CSV"),
    "nothing": (lambda here: None, "new: expected images (.bmp, "),
    "text": (other("a.png", b"text"), "new/a.png: expected an image (BMP"),
    "half": (other("a.png", encoded(FEW[0])[:60]), "a.png: expected a whole image"),
    "size": (
        other("a.png", encoded(making.digits()[0][0][:5])),
        "a.png: expected 8 x 8 pixels (height x width) as the model was trained on, "
        "got 5 x 8; resize it",
    ),
    "colour": (
        other("a.png", encoded(FEW[0])),
        "a.png: expected grey as the model was trained on, got RGB; convert it",
    ),
    "many": (many, "\nand 5 more"),
    "a pipe": (lambda here: os.mkfifo(here / "new" / "a.png"), "got a pipe"),
    "a link": (
        lambda here: (here / "new" / "a.png").symlink_to("/etc/passwd"),
        "a.png: expected files of new, got a link",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_images_that_a_model_cannot_take_are_refused(trained, tmp_path, name):
    (tmp_path / "new").mkdir()
    spoil, reason = BAD[name]
    spoil(tmp_path)
    results = trained / "outputs" / "digits"
    done = call("explain", str(results), "rows=new", cwd=tmp_path)
    assert reason in done.message


def test_arrays_and_columns_are_refused_by_name(trained, tmp_path):
    results = trained / "outputs" / "digits"
    np.savez(tmp_path / "a.npz", scans=making.digits()[0])
    done = call("explain", str(results), "rows=a.npz", cwd=tmp_path)
    assert "rows: expected one of what a.npz has ('scans')" in done.message
    pd.DataFrame({"image": ["a.png"]}).to_parquet(tmp_path / "b.parquet")
    done = call("explain", str(results), "rows=b.parquet", cwd=tmp_path)
    assert "b.parquet: expected a column of encoded images" in done.message
    words = ("rows=a.npz", "summary=true", "groups=pixel_0_0")
    done = call("explain", str(results), *words, cwd=tmp_path)
    assert "groups: expected null for images" in done.message
