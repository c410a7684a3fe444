"""Bundles that are damaged, or made to do harm: refused in one message."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from cftrain.bundle.layout import MOST_BYTES, MOST_TEXT
from cftrain.bundle.reading import read_bundle
from cftrain.errors import CftrainError
from tests.bundle.sealing import (
    MANIFEST,
    change,
    change_tensors,
    explain_elsewhere,
    seal,
)

NAMES = (
    "MODEL_CARD.md",
    "domain.json",
    "limits.json",
    "metrics.json",
    "model.json",
    "preprocessing.json",
    "protocol.json",
    "reference.safetensors",
)


@pytest.fixture
def copy(bundle, tmp_path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


def weights(copy: Path) -> str:
    return f"weights/{min((copy / 'weights').iterdir()).name}"


def refused(copy) -> str:
    with pytest.raises(CftrainError) as caught:
        read_bundle(copy, None)
    return str(caught.value)


def value(copy, name, key):
    return json.loads((copy / name).read_text())[key]


@pytest.mark.parametrize("name", [*NAMES, "weights"])
def test_a_changed_file_is_named(name, copy):
    name = weights(copy) if name == "weights" else name
    path = copy / name
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    found = refused(copy)
    assert found.startswith(f"{path}: expected the file that was written by")


def test_the_command_says_so_in_one_message(copy, lent):
    (copy / "domain.json").write_text("{}")
    found = explain_elsewhere(copy, lent / "applicants.csv")
    assert found.message == (
        f"{copy / 'domain.json'}: expected the file that was written by cftrain "
        "export, got another one (its checksum differs)"
    )


@pytest.mark.parametrize("name", [*NAMES, "weights", MANIFEST])
def test_a_missing_file_is_named(name, copy):
    name = weights(copy) if name == "weights" else name
    (copy / name).unlink()
    assert refused(copy) == f"{copy / name}: expected the file, got none"


@pytest.mark.parametrize("name", ["a.py", ".x", "weights/aa.safetensors", "weights/x"])
def test_an_additional_file_is_named(name, copy):
    (copy / name).write_text("")
    assert refused(copy) == (
        f"{copy / name}: expected no file that is not in manifest.json"
    )


@pytest.mark.parametrize("name", ["deep", "weights/deep"])
def test_no_folder_is_looked_into(name, copy):
    (copy / name / "deeper").mkdir(parents=True)
    assert refused(copy).startswith(f"{copy / name}: expected no file")


@pytest.mark.parametrize("name", [*NAMES, "weights", MANIFEST])
def test_a_link_is_refused(name, copy, tmp_path):
    name = weights(copy) if name == "weights" else name
    shutil.move(copy / name, tmp_path / "away")
    (copy / name).symlink_to(tmp_path / "away")
    assert refused(copy) == (
        f"{copy / name}: could not be read: expected a file, got a link"
    )


def test_a_link_to_a_folder_of_weights_is_refused(copy, tmp_path):
    shutil.move(copy / "weights", tmp_path / "away")
    (copy / "weights").symlink_to(tmp_path / "away")
    assert refused(copy).startswith(f"{copy / 'weights'}: expected no file")


@pytest.mark.parametrize("name", ["model.json", "reference.safetensors", MANIFEST])
def test_a_pipe_is_not_opened(name, copy):
    (copy / name).unlink()
    os.mkfifo(copy / name)
    assert "expected a file, got something else" in refused(copy)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("model.json", MOST_TEXT),
        (MANIFEST, MOST_TEXT),
        ("reference.safetensors", MOST_BYTES),
    ],
)
def test_a_huge_file_is_not_read(name, most, copy):
    os.truncate(copy / name, most + 1)
    assert f"expected at most {most} bytes, got {most + 1}" in refused(copy)


@pytest.mark.parametrize(
    "name",
    ["../x.json", "/etc/passwd", "weights/../../x", "weights/.safetensors", "x.py", ""],
)
def test_no_name_leads_elsewhere(name, copy):
    files = value(copy, MANIFEST, "files")
    text = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**text, "files": {**files, name: "0"}}))
    assert "expected names of the files that bundles have, got" in refused(copy)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a configuration as JSON"),
        ("[]", "expected a configuration, got '[]'"),
        ("\xff\xfe", "expected a configuration as JSON"),
        ("[" * 100_000, "expected a configuration as JSON"),
        ("9" * 10_000, "expected a configuration as JSON"),
        ('{"format": 2}', "expected a bundle of format 1, got one of format 2"),
        ('{"format": 1}', "files: expected a value, got none"),
        ('{"format": true}', "format: expected a whole number, got True"),
    ],
)
@pytest.mark.parametrize("name", [MANIFEST, "model.json"])
def test_a_file_of_anything_is_one_message(text, message, name, copy):
    (copy / name).write_bytes(text.encode("latin-1"))
    if name == MANIFEST:
        assert message in refused(copy)
        return
    seal(copy)
    assert refused(copy).startswith(f"{copy / name}: ")


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.Popen",
        "cftrain.commands.export.run",
        "cftrain.bundle.manifest.Manifest",
        "cftrain.data.tables",
        "mlp",
        "run",
        "",
        None,
        [],
        {},
    ],
)
@pytest.mark.parametrize("part", ["run", "data", "generator"])
def test_only_runs_are_built(target, part, copy):
    runs = value(copy, "model.json", "runs")
    for run in runs.values():
        (run if part == "run" else run[part])["_target_"] = target
    change(copy, "model.json", runs=runs)
    if (target, part) == ("run", "run"):
        read_bundle(copy, None)
        return
    assert "expected a run of this version of cftrain" in refused(copy)


@pytest.mark.parametrize(
    "values",
    [
        {"class_names": ["yes"]},
        {"class_names": ["yes", "yes"]},
        {"class_names": [1, 2]},
        {"class_names": ["a", "b", "c"]},
        {"data": "../x"},
        {"data": ""},
        {"runs": {}},
        {"runs": {"../x": {}}},
        {"runs": {"aa": {}}},
        {"image_shape": [2]},
        {"more": 1},
    ],
)
def test_models_that_do_not_fit_are_refused(values, copy):
    change(copy, "model.json", **values)
    assert refused(copy).startswith(f"{copy}/")


@pytest.mark.parametrize("key", ["mean", "deviation", "decimals", "name", "kind", "x"])
@pytest.mark.parametrize("wrong", ["text", [], {}, -1e300, 1e999, 0, None, True, 10**9])
def test_codecs_that_cannot_be_used_are_refused(key, wrong, copy):
    """Or used: a mean of 0 is a mean."""
    columns = value(copy, "preprocessing.json", "columns")
    columns[0][key] = wrong
    change(copy, "preprocessing.json", columns=columns)
    numbers = [True, 10**9]
    fits = {
        "mean": [0, *numbers],
        "deviation": numbers,
        "decimals": [0, None],
        "name": ["text"],
    }
    if wrong in fits.get(key, []):
        read_bundle(copy, None)
    else:
        assert refused(copy).startswith(f"{copy / 'preprocessing.json'}: expected")


@pytest.mark.parametrize("decimals", ["1", "0", 1.0, True, False, [1]])
def test_decimals_are_whole_numbers(decimals, copy):
    columns = value(copy, "preprocessing.json", "columns")
    columns[1]["decimals"] = decimals
    change(copy, "preprocessing.json", columns=columns)
    assert refused(copy).startswith(f"{copy / 'preprocessing.json'}: expected the col")


@pytest.mark.parametrize(
    "levels", [[], [1, 1], ["a"], [[]], [{}], "abc", None, ["a", "b", "c", "d"], [0.5]]
)
def test_levels_that_do_not_fit_are_refused(levels, copy):
    columns = value(copy, "preprocessing.json", "columns")
    columns[3]["levels"] = levels
    change(copy, "preprocessing.json", columns=columns)
    assert refused(copy).startswith(f"{copy}/")


@pytest.mark.parametrize(
    "columns", [[], {}, None, [1], "x", [{"kind": "numeric"}], [[[]]]]
)
def test_columns_of_anything_are_refused(columns, copy):
    change(copy, "preprocessing.json", columns=columns)
    assert refused(copy).startswith(f"{copy / 'preprocessing.json'}: expected")


@pytest.mark.parametrize(
    "values",
    [
        {"lower": [0.0]},
        {"lower": [9.0] * 6, "upper": [0.0] * 6},
        {"lower": ["a"] * 6},
        {"upper": [1e999] * 6},
        {"may_increase": [1] * 6},
        {"groups": []},
        {"groups": [[3, 99]]},
        {"groups": [[0, 1, 2]]},
        {"least": [None] * 6},
        {"least": [5.0] * 6, "largest": [0.0] * 6},
        {"least": [1e300] * 6, "largest": [1e300] * 6},
    ],
)
def test_limits_that_do_not_fit_are_refused(values, copy):
    change(copy, "limits.json", **values)
    assert refused(copy).startswith(f"{copy / 'limits.json'}: ")


@pytest.mark.parametrize(
    "tensors",
    [
        {"features": torch.full((150, 6), torch.nan)},
        {"features": torch.zeros(150, 5)},
        {"features": torch.zeros(150, 6, dtype=torch.float64)},
        {"features": torch.zeros(0, 6), "labels": torch.zeros(0, dtype=torch.int64)},
        {"labels": torch.zeros(150, dtype=torch.int64)},
        {"labels": torch.full((150,), 9)},
        {"labels": torch.zeros(149, dtype=torch.int64)},
        {"labels": torch.zeros(150)},
        {"more": torch.zeros(1)},
    ],
)
def test_observed_rows_that_do_not_fit_are_refused(tensors, copy):
    change_tensors(copy, "reference.safetensors", **tensors)
    where = copy / "reference.safetensors"
    assert refused(copy).startswith(f"{where}: expected observed rows")


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_refused(wrong, copy):
    name = weights(copy)
    held = json.loads((copy / name).read_bytes()[8:].split(b"}}")[0] + b"}}")
    tensor = next(key for key in held if key.endswith("bias"))
    shape = held[tensor]["shape"]
    change_tensors(copy, name, **{tensor: torch.full(shape, wrong)})
    assert "expected finite weights" in refused(copy)


def test_weights_of_another_shape_or_cell_are_refused(copy):
    first, second = sorted((copy / "weights").iterdir())
    shutil.copy(second, first)
    seal(copy)
    assert "expected the weights of cell" in refused(copy)
    change_tensors(copy, f"weights/{second.name}", more=torch.zeros(1))
    shutil.copy(second, first)
    seal(copy)
    assert "expected" in refused(copy)


def test_pickles_are_not_read(copy):
    torch.save({"weights": torch.zeros(1)}, copy / weights(copy))
    seal(copy)
    assert "expected the weights of a cell" in refused(copy)
    torch.save({"features": torch.zeros(1)}, copy / "reference.safetensors")
    seal(copy)
    assert "expected" in refused(copy)


def test_a_model_of_another_size_is_refused(copy):
    runs = value(copy, "model.json", "runs")
    for run in runs.values():
        run["model"] = {
            "_target_": "lenet",
            "name": "lenet",
            "image": [28, 28],
            "channels": [6],
            "kernel": 5,
            "pooling": 2,
            "hidden": [4],
            "activation": "relu",
        }
    change(copy, "model.json", runs=runs)
    assert "expected height x width x input_channels to be 6" in refused(copy)
