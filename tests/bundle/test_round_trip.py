"""What a bundle answers is what its results answer, wherever it is."""

import json
import shutil
from dataclasses import fields
from hashlib import sha256

import pytest
import torch
from torch import Tensor

from cftrain.advice.stored import chosen_cell, stored_model
from cftrain.bundle.reading import read_bundle
from cftrain.data.constraints import Constraints
from cftrain.results.store import Store
from tests.bundle.sealing import MANIFEST, change, explain_elsewhere, export
from tests.console import call, files

WORDS = ("count=2", "format=json")


def explain(lent, *words):
    """From the results, with the data at hand."""
    return call(
        "explain",
        "outputs/all",
        "rows=applicants.csv",
        *words,
        cwd=lent,
        CFTRAIN_DATA=str(lent),
    )


def elsewhere(folder, lent, tmp_path, *words):
    """From a copy of a bundle, with its table and results out of sight."""
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    (lent / "outputs").rename(lent / "away")
    (lent / "lending.parquet").rename(lent / "lending.away")
    try:
        return explain_elsewhere(moved, lent / "applicants.csv", *words)
    finally:
        (lent / "away").rename(lent / "outputs")
        (lent / "lending.away").rename(lent / "lending.parquet")


def parsed(outcome):
    assert outcome.code == 0, outcome
    return [json.loads(line) for line in outcome.out.splitlines()]


@pytest.mark.parametrize(
    "words",
    [
        (),
        pytest.param(
            ("target=yes", "immutable=[job]", "sparse=false", "observed_range=false"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ("generator=generic", "categories=snapped", "search.max_steps=30"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_answers_are_the_same_bit_for_bit(words, bundle, lent, tmp_path):
    before = files(bundle)
    there = explain(lent, *WORDS, *words)
    here = elsewhere(bundle, lent, tmp_path, *WORDS, *words)
    assert here.out == there.out
    assert sum(len(each["answers"]) for each in parsed(here)) > 5
    assert files(bundle) == before


@pytest.mark.slow
def test_a_model_of_another_seed_can_be_asked(bundle, lent, tmp_path):
    first, other = json.loads((bundle / "model.json").read_text())["runs"]
    here = elsewhere(bundle, lent, tmp_path, *WORDS, f"cell={other}")
    assert here.out == explain(lent, *WORDS, f"cell={other}").out
    assert here.out != explain(lent, *WORDS, f"cell={first}").out
    missing = explain_elsewhere(bundle, lent / "applicants.csv", "cell=zzz")
    assert missing.message == "expected a trained model called zzz, got none"


@pytest.mark.slow
def test_the_baseline_is_exported_by_wish(lent, tmp_path):
    bundle = export(lent, "baseline", "objective=vanilla")
    cells = Store(lent / "outputs/all").cells().set_index("cell")
    (cell, *others) = json.loads((bundle / "model.json").read_text())["runs"]
    assert cells.loc[[cell, *others], "objective"].tolist() == ["vanilla"] * 2
    here = elsewhere(bundle, lent, tmp_path, *WORDS)
    assert here.out == explain(lent, *WORDS, f"cell={cell}").out


def test_without_observed_rows_plausibility_is_left_out(lent, tmp_path):
    bundle = export(lent, "sparing", "reference=false")
    assert not (bundle / "reference.safetensors").exists()
    whole, spared = (
        parsed(explain(lent, *WORDS)),
        parsed(elsewhere(bundle, lent, tmp_path, *WORDS)),
    )
    answers = [answer for each in whole for answer in each["answers"]]
    assert all(answer["farther_than"] is not None for answer in answers)
    for answer in answers:
        answer["farther_than"] = answer["nearest"] = None
    assert spared == whole
    rows = lent / "applicants.csv"
    text = explain_elsewhere(bundle, rows).out
    assert "cost " in text
    assert "farther out" not in text
    assert explain_elsewhere(bundle, rows, "format=csv").code == 0
    found = explain_elsewhere(bundle, rows, "generator=revise")
    assert "generator: expected one that moves the features" in found.message


def test_a_bundle_has_no_test_rows(bundle):
    found = call("explain", str(bundle), CFTRAIN_DATA=None)
    assert found.message.startswith("rows: expected a file with rows to explain")


def test_what_is_read_is_what_was_written(bundle, lent, monkeypatch):
    monkeypatch.setenv("CFTRAIN_DATA", str(lent))
    store = Store(lent / "outputs/all")
    written = stored_model(store, chosen_cell(store.cells(), None)["cell"])
    read = read_bundle(bundle, None)
    for field in fields(written):
        there, here = getattr(written, field.name), getattr(read, field.name)
        if field.name == "test_rows":
            assert here is None
        elif field.name in ("model", "others"):
            same(there.state_dict(), here.state_dict())
        elif isinstance(there, Tensor):
            assert torch.equal(there, here)
        elif isinstance(there, Constraints) or field.name == "reference":
            same(there.__dict__, here.__dict__)
        else:
            assert there == here, field.name
    assert torch.isinf(read.constraints.upper).any()


def same(there, here):
    assert there.keys() == here.keys()
    for name, value in there.items():
        equal = torch.equal if isinstance(value, Tensor) else value.__class__.__eq__
        assert equal(value, here[name]), name


def test_the_manifest_and_the_numbers_are_for_any_program(bundle, lent):
    manifest = json.loads((bundle / MANIFEST).read_text())
    found = {
        name: sha256(content).hexdigest()
        for name, content in files(bundle).items()
        if name != MANIFEST
    }
    assert manifest["files"] == found
    assert manifest["onnx"] == "none, as was wished"
    store = Store(lent / "outputs/all")
    cells = json.loads((bundle / "model.json").read_text())["runs"]
    rows = store.rows("metrics", store.evaluations())
    rows = rows[rows["cell"].isin(list(cells))]
    told = json.loads((bundle / "metrics.json").read_text())["metrics"]
    assert len(told) == len(rows) > 100
    assert sorted(each["value"] for each in told if each["value"] is not None) == (
        sorted(rows["value"].dropna())
    )
    protocol = json.loads((bundle / "protocol.json").read_text())
    assert protocol["config"]["rounds"] == 2
    domain = json.loads((bundle / "domain.json").read_text())
    assert domain["age"]["domain"] == [18, 100]
    assert domain["age"]["mutability"] == "increase"
    assert domain["debt"]["domain"] == [0, None]
    assert domain["job"]["levels"] == ["baker", "clerk", "nurse"]


def test_the_same_model_makes_the_same_files(bundle, lent):
    again = files(export(lent, "again"))
    before = files(bundle)
    changed = {name for name in before if before[name] != again[name]}
    assert before.keys() == again.keys()
    assert changed <= {MANIFEST}


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_there_is_not_overwritten(kind, lent, tmp_path):
    target = tmp_path / "taken"
    if kind == "folder":
        target.mkdir()
        (target / "mine").write_text("mine")
    elif kind == "file":
        target.write_text("mine")
    else:
        (tmp_path / "other").mkdir()
        target.symlink_to(tmp_path / "other")
    before = files(tmp_path)
    words = ("export", "outputs/all", str(target))
    found = call(*words, cwd=lent, CFTRAIN_DATA=str(lent))
    assert found.message.startswith(f"{target}: expected a new or an empty folder")
    assert files(tmp_path) == before


def test_an_empty_folder_and_one_that_is_not_there_are_filled(lent, tmp_path):
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", tmp_path / "a" / "b" / "c"):
        export(lent, str(target))
        assert (target / MANIFEST).is_file()


def test_a_failure_leaves_nothing(lent, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("cftrain.bundle.writing.write_manifest", fails)
    target = tmp_path / "target"
    words = ("export", "outputs/all", str(target), "onnx=false")
    found = call(*words, cwd=lent, CFTRAIN_DATA=str(lent))
    assert found.message == f"{target}: could not be written: No space left on device"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            (),
            "expected a folder with results first, as in cftrain export FOLDER BUNDLE",
        ),
        (("outputs/all",), "expected bundle after it, as in cftrain export FOLDER"),
        (("outputs/all", "cell=x"), "expected bundle after it"),
        (("none", "target"), "none: expected a folder with results, got none"),
        (("outputs/all", "target", "cell=zzz"), "expected a trained model called zzz"),
        (("outputs/all", "target", "objective=x"), "objective: expected one of full"),
        (
            ("outputs/all", "target", "reference=2"),
            "export.reference: expected true or",
        ),
        (("outputs/all", "target", "more=2"), "export.more: expected one of"),
        (("outputs/all", "target", "target=yes"), "target: expected groups=COLUMN"),
        (
            ("outputs/all", "target", "groups=size"),
            "groups: expected a column of lending",
        ),
        (
            ("outputs/all", "target", "groups=job", "target=x"),
            "target: expected one of the classes 'no', 'yes', got 'x'",
        ),
    ],
)
def test_mistakes_are_refused(words, message, lent):
    found = call("export", *words, cwd=lent, CFTRAIN_DATA=str(lent))
    assert found.message.startswith(message), found
    assert not (lent / "target").exists()


def test_data_that_have_changed_are_not_exported(lent, tmp_path):
    words = ("export", "outputs/all", str(tmp_path / "target"))
    found = call(*words, cwd=lent, CFTRAIN_DATA=str(tmp_path))
    assert "lending" in found.message
    assert list(tmp_path.iterdir()) == []


def test_relations_go_along_and_are_obeyed(bundle, lent, tmp_path):
    """As if they had been said beside the results."""
    text = "20*age + debt <= 1500"
    copy = shutil.copytree(bundle, tmp_path / "related")
    change(copy, "limits.json", relations=[text])
    found = explain_elsewhere(copy, lent / "applicants.csv", *WORDS)
    assert found.out == explain(lent, *WORDS, f'relations=["{text}"]').out
    assert found.out != explain(lent, *WORDS).out
    change(copy, "limits.json", relations=["salary <= 1"])
    refused = explain_elsewhere(copy, lent / "applicants.csv", *WORDS)
    assert refused.code == 2
    assert "limits.json: relations: in 'salary <= 1' expected one of" in refused.err


def test_a_bundle_from_before_there_were_relations_answers(bundle, lent, tmp_path):
    copy = shutil.copytree(bundle, tmp_path / "older")
    limits = json.loads((copy / "limits.json").read_text())
    del limits["relations"]
    (copy / "limits.json").write_text(json.dumps(limits))
    change(copy, "limits.json")
    found = explain_elsewhere(copy, lent / "applicants.csv", *WORDS)
    assert found.code == 0, found
    assert found.out == explain(lent, *WORDS).out
