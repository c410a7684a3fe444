"""Sets that are refused, each by the file that is wrong, and what is said of others."""

import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.data import sources
from cftrain.data.pictures.album import read_regular
from cftrain.data.pictures.arrays import array_album
from cftrain.data.pictures.parquet import _shared
from cftrain.data.pictures.told import images_told
from cftrain.errors import DataError
from tests.data.pictures import making
from tests.data.pictures.making import (
    encoded,
    image_set,
    look,
    write_folder,
    write_npz,
    write_parquet,
)

PIXELS, LABELS = making.patches()


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_folder(tmp_path / "set", PIXELS, LABELS)


def refused(path: Path, reason: str, **changes: object) -> str:
    with pytest.raises(DataError, match=reason) as raised:
        look(path, **changes)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def put(folder: Path, name: str, content: bytes = b"") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_what_was_found_is_told(folder):
    put(folder, "readme.txt")
    put(folder, "blue/labels.csv")
    put(folder, ".git/config")
    text = images_told(look(folder))
    assert "set: 60 images (folder), 6 x 5 pixels, RGB\n" in text
    assert "90 inputs, from -1 to 1 for values from 0 to 255" in text
    assert "\ngreen    20\n" in text
    assert "readme.txt and 1 more files, by name no images" in text
    assert "42 training, 6 validation and 12 test rows" in text
    assert "seed 2025" in text
    text = images_told(look(folder, size=(3, 3), channels=1))
    assert "3 x 3 pixels, grey, all resized and converted to that" in text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("blue/x.png", b"", "set/blue/x.png: expected an image"),
        ("green/x.jpg", encoded(PIXELS[0])[:99], "set/green/x.jpg: expected a whole"),
        ("red/x.png", encoded(PIXELS[0, :4]), "red/x.png: expected 6 x 5 .*got 4 x 5"),
        ("red/x.png", encoded(PIXELS[0, ..., 0]), "red/x.png: expected RGB .*got grey"),
        ("red/x.png", making.bomb(50_000), "red/x.png: .*Decompression"),
        ("x.png", encoded(PIXELS[0]), "set/x.png: expected images in the folder of"),
        ("blue/more/x.png", b"", "set/blue/more: expected images, got a folder"),
        ("white/notes.txt", b"", "set/white: .*images of the class 'white', got none"),
        ("white/x.png", encoded(PIXELS[0]), "at least 5 images .*only 1 of 'white'"),
        ("train/a/x.png", b"", "set/train/a: expected images, got a folder"),
    ],
)
def test_a_file_that_does_not_fit_is_named(folder, name, content, reason):
    put(folder, name, content)
    refused(folder, reason)


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "blue" / "0000a.png")
    refused(folder, r"blue/0000a\.png: expected a regular file, got a pipe")


def test_links_lead_nowhere_outside(folder, tmp_path):
    inside = folder / "blue" / "0.png"
    inside.symlink_to("0000.png")
    assert look(folder).rows == 61
    outside = put(tmp_path, "secret.png", encoded(PIXELS[0]))
    for target in (outside, tmp_path, Path("/dev/zero")):
        inside.unlink()
        inside.symlink_to(target)
        refused(folder, r"blue/0\.png: expected files of .*set, got a link to ")
    for target in (folder / "nowhere", inside):
        inside.unlink()
        inside.symlink_to(target)
        refused(folder, "set/blue: expected a readable folder, got ")
    inside.unlink()
    (folder / "white").symlink_to(tmp_path, target_is_directory=True)
    refused(folder, "set/white: expected files of .*set, got a link to ")


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert look(tmp_path / "link").rows == 60


def test_letters_that_look_the_same_are_the_same(folder):
    name = "Röte"
    (folder / "red").rename(folder / normalize("NFD", name))
    found = look(folder)
    assert found.classes == (name, "blue", "green")
    assert image_set(folder).load().labelled == found.classes
    assert look(folder, classes=("green", normalize("NFD", name), "blue")).rows == 60
    shutil.copytree(folder / "blue", folder / name)
    refused(folder, "expected a folder for each class, got two called 'Röte'")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Blue", "more than upper and lower case, got 'Blue' and 'blue'"),
        ("a\x1b[31m\n", r"names that can be printed, got 'a\\x1b\[31m\\n'"),
        ("???", r"names that can be printed, got '\?\?\?'"),
        (" ", "names that can be printed, got ' '"),
        ("a\udcff", "names that can be printed, got "),
    ],
)
def test_classes_can_be_told_apart_and_printed(folder, name, reason):
    shutil.copytree(folder / "blue", folder / name)
    refused(folder, reason)


def test_signs_of_configurations_are_letters_of_names(folder):
    names = ["${oc.env:HOME}", "blue", "a=b, 'c' <i>"]
    (folder / "red").rename(folder / names[0])
    (folder / "green").rename(folder / names[2])
    assert set(image_set(folder).load().labelled or ()) == set(names)


def test_numbers_are_in_their_order(folder):
    for old, new in (("red", "10"), ("blue", "9"), ("green", "x")):
        (folder / old).rename(folder / new)
    assert look(folder).classes == ("9", "10", "x")
    assert look(folder, classes=("x", 9, 10)).classes == ("x", "9", "10")
    refused(folder, "data.classes: expected the classes of .*'x'", classes=("x", 9))


def test_one_class_is_none(folder):
    for name in ("red", "green"):
        shutil.rmtree(folder / name)
    refused(folder, "expected at least 2 classes, got 'blue' of all 20 images")


def test_both_parts_have_all_classes_and_nothing_stands_beside_them(tmp_path):
    for part in ("train", "test"):
        write_folder(tmp_path / part, PIXELS, LABELS)
    assert look(tmp_path).pool_rows == 60
    shutil.rmtree(tmp_path / "test" / "red")
    refused(tmp_path, "/test: expected images of all classes, got none of 'red'")
    write_folder(tmp_path / "val", PIXELS, LABELS)
    refused(tmp_path, "no folders beside train and test, got 'val'")


def test_what_is_no_set_at_all_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "empty: expected a folder for each class")
    refused(tmp_path / "absent", "data.path: .*absent', which is no such file")
    refused(put(tmp_path, "a.csv"), "a.csv', which is something else; data=table")
    few = write_folder(tmp_path / "few", PIXELS[::2], LABELS[::2])
    refused(few, "few: expected at least 40 images, got 30")
    refused(few, "data.image: expected null for a folder", image="x")


def test_more_than_fits_is_refused_before_it_is_read(folder, tmp_path):
    refused(folder, r"60 images of 6 x 5 pixels as inputs: .*got 2\.01e-05", **SMALL)
    path = write_npz(tmp_path / "a.npz", np.zeros((40, 99, 99), np.uint8), [0, 1] * 20)
    refused(
        path, r"a.npz, 'images': expected at most 1e-05 GiB \(data.most_mem", **SMALL
    )
    noise = np.random.default_rng(0).integers(0, 255, (40, 99, 99)).astype(np.uint8)
    path = write_parquet(tmp_path / "a.parquet", noise, [0, 1] * 20)
    refused(path, r"a.parquet: expected at most 1e-05 GiB", **SMALL)


def test_the_limit_that_is_given_is_the_only_one(tmp_path, monkeypatch):
    """Tables have another limit where nobody says one."""
    path = tmp_path / "images.npz"
    path.write_bytes(b"12345")
    monkeypatch.setattr(sources, "check_memory", lambda size, most: given.append(most))
    given: list[float] = []
    assert read_regular(path, 8.0).content == b"12345"
    assert given == [8.0]


SMALL = {"most_memory": 1e-5}


class Evil:
    """A pickle that makes a file when it is read."""

    def __reduce__(self):
        return Path.touch, (Path("hacked"),)


def headed(shape: str, kind: str = "|u1") -> bytes:
    """An array of NumPy's that is nothing but a header."""
    out = io.BytesIO()
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n"
    out.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little"))
    out.write(header.encode())
    return out.getvalue()


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def array(values: object) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(values))
    return out.getvalue()


def test_arrays_of_objects_are_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = np.array([Evil()] * 60, dtype=object)
    path = tmp_path / "a.npz"
    for arrays in ({"images": evil}, {"images": PIXELS, "labels": evil}):
        np.savez(path, **{"labels": LABELS, **arrays}, allow_pickle=True)
        refused(path, r"expected an array of numbers or texts, got Python objects")
    path.write_bytes(pickle.dumps(Evil()))
    refused(path, "a.npz: expected an .npz file of arrays, got ")
    archive(path, images=pickle.dumps(Evil()), labels=array(LABELS))
    refused(path, "a.npz: expected an .npz file of arrays, got ")
    assert not (tmp_path / "hacked").exists()


def test_no_other_member_is_read_than_the_one_that_was_looked_at(tmp_path):
    """NumPy prefers a member that is called the same without its ending."""
    path = archive(tmp_path / "a.npz", images=array(PIXELS), labels=array(LABELS))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("images", array(np.zeros((60, 99, 99), np.uint8)))
    found = array_album(path, None, None, 0.01)
    np.testing.assert_array_equal(found.values, PIXELS)
    with pytest.raises(DataError, match="expected one of what"):
        array_album(archive(tmp_path / "b.npz"), None, None, 0.01)


IMAGES = array(PIXELS)
BAD_ARRAYS = {
    "floats": (
        {"images": array(PIXELS / 255), "labels": array(LABELS)},
        r"'images': expected whole numbers 0 to 255 as uint8, got float64 from 0",
    ),
    "flat": (
        {"images": array(PIXELS.reshape(60, -1)), "labels": array(LABELS)},
        r"images of shape \(row, height, width\) or .*, got \(60, 90\)",
    ),
    "channels first": (
        {"images": array(PIXELS.transpose(0, 3, 1, 2)), "labels": array(LABELS)},
        r"got \(60, 3, 6, 5\)",
    ),
    "no rows": (
        {"images": array(PIXELS[:0]), "labels": array(LABELS[:0])},
        r"expected some images of shape .*got \(0, 6, 5, 3\)",
    ),
    "few labels": (
        {"images": IMAGES, "labels": array(LABELS[:9])},
        r"expected a label for each of 60 images, got the shape \(9,\)",
    ),
    "labels with a point": (
        {"images": IMAGES, "labels": array(np.arange(60) / 7)},
        "expected whole numbers or texts, got float64",
    ),
    "other names": (
        {"pictures": IMAGES, "labels": array(LABELS)},
        r"data.image: expected one of what .*'pictures', 'labels'.*none of the usual",
    ),
    "a huge shape": (
        {"images": headed("(9000000000, 28, 28)"), "labels": array(LABELS)},
        r"'images': expected at most 1 GiB",
    ),
    "a shape without end": (
        {"images": headed("(60, 6, 5, 3)"), "labels": array(LABELS)},
        "expected an .npz file of arrays, got ",
    ),
    "a negative shape": (
        {"images": headed("(-60, 6, 5)"), "labels": array(LABELS)},
        "expected an .npz file of arrays, got ",
    ),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_arrays_that_do_not_fit_are_refused(tmp_path, name):
    members, reason = BAD_ARRAYS[name]
    refused(archive(tmp_path / "a.npz", **members), reason)


def test_a_damaged_archive_is_refused(tmp_path):
    path = write_npz(tmp_path / "a.npz", PIXELS, LABELS)
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:200] + whole[400:]):
        path.write_bytes(content)
        refused(path, "a.npz: expected an .npz file of arrays, got ")


def test_names_of_hugging_face_are_those_of_its_numbers(tmp_path):
    whole = [["blue", "green", "red"].index(label) for label in LABELS]
    path = write_parquet(tmp_path / "a.parquet", PIXELS, whole, nested=True)
    assert look(path).classes == ("0", "1", "2")
    table = pq.read_table(path)
    told = '{"info": {"features": {"label": {"names": ["ox", "cow", "ape"]}}}}'
    pq.write_table(table.replace_schema_metadata({"huggingface": told}), path)
    found = look(path)
    assert found.classes == ("ape", "cow", "ox")
    assert found.album.labels[0] == "ox"
    for odd in (
        "[",
        '{"info": 3}',
        told.replace('"ox"', "7"),
        told.replace("ox", "ape"),
    ):
        pq.write_table(table.replace_schema_metadata({"huggingface": odd}), path)
        assert look(path).classes == ("0", "1", "2")


def column(values: list, kind: pa.DataType | None = None) -> pa.Array:
    return pa.array(values, kind)


CONTENTS = [encoded(values) for values in PIXELS]
BAD_COLUMNS = {
    "no bytes": (
        {"image": column([*CONTENTS[:-1], None]), "label": column(LABELS)},
        r"a.parquet, row 60: expected the bytes of an image, got none",
    ),
    "a path alone": (
        {
            "image": column([{"bytes": None, "path": "/etc/passwd"}] * 60),
            "label": column(LABELS),
        },
        "expected a column of encoded images, got null",
    ),
    "a path among them": (
        {
            "image": column(
                [{"bytes": each, "path": "a"} for each in CONTENTS[:-1]]
                + [{"bytes": None, "path": "/etc/passwd"}]
            ),
            "label": column(LABELS),
        },
        r"row 60: expected the bytes of an image, got none",
    ),
    "texts": (
        {"image": column(["a"] * 60), "label": column(LABELS)},
        "expected a column of encoded images, got string; data=table",
    ),
    "no label": (
        {"image": column(CONTENTS), "label": column([*LABELS[:-1], None])},
        r"row 60, column 'label': expected a whole number or a text, got None",
    ),
    "no rows": (
        {"image": column([], pa.binary()), "label": column([], pa.string())},
        "a.parquet: expected some images, got none",
    ),
    "a damaged image": (
        {"image": column([*CONTENTS[:-1], b"x"]), "label": column(LABELS)},
        r"a.parquet, row 60: expected an image",
    ),
    "other names": (
        {"photo": column(CONTENTS), "label": column(LABELS)},
        r"data.image: expected one of what .*'photo', 'label'",
    ),
}


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_columns_that_do_not_fit_are_refused(tmp_path, name):
    columns, reason = BAD_COLUMNS[name]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    refused(path, reason)


def test_columns_and_arrays_go_by_the_names_that_are_given(tmp_path):
    path = write_npz(tmp_path / "a.npz", PIXELS, LABELS, image="p", label="q")
    assert look(path, image="p", label="q").rows == 60
    refused(path, "data.label: expected one of .*got z$", image="p", label="z")


def test_labels_that_a_column_holds_once_are_in_memory_once(tmp_path):
    """Else a long label of many rows fills a memory from a file of some bytes."""
    codes = pa.array([None if row % 7 == 3 else row % 2 for row in range(5000)])
    labels = pa.DictionaryArray.from_arrays(codes, pa.array(["one" * 9, "two" * 9]))
    values = _shared(pa.chunked_array([labels, labels[:9]]))
    assert values == [*labels.to_pylist(), *labels[:9].to_pylist()]
    assert len(set(map(id, values))) == 5  # two in each part, and None
    codes = np.unique(LABELS, return_inverse=True)[1]
    ones = pa.DictionaryArray.from_arrays(codes, pa.array(["one", "two", "three"]))
    path = write_parquet(tmp_path / "a.parquet", PIXELS, ones)
    assert look(path).rows == 60


def test_a_damaged_table_is_refused(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", PIXELS, LABELS)
    path.write_bytes(path.read_bytes()[:-9])
    refused(path, "a.parquet: expected a readable Parquet file")
