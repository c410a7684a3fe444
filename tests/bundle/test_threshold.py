"""A threshold of the decision goes with a bundle, and may be overridden there."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from cftrain.advice.cutoff import Cutoff
from cftrain.advice.stored import chosen_cell, stored_model
from cftrain.bundle.onnx_file import OUTPUTS, write_onnx
from cftrain.bundle.onnx_inputs import inputs_of
from cftrain.bundle.reading import read_bundle
from cftrain.errors import ResultError
from cftrain.results.store import Store
from tests.bundle.sealing import change, explain_elsewhere, export
from tests.console import call, files

WORDS = ("count=2", "format=json")


@pytest.fixture(scope="module")
def strict(lent):
    """A bundle that says yes from 0.9 on."""
    return export(lent, "strict", "threshold=0.9")


def here(folder, lent, *words) -> str:
    found = explain_elsewhere(folder, lent / "applicants.csv", *WORDS, *words)
    assert found.code == 0, found
    return found.out


def there(lent, *words) -> str:
    words = ("explain", "outputs/all", "rows=applicants.csv", *WORDS, *words)
    return call(*words, cwd=lent, CFTRAIN_DATA=str(lent)).out


def test_a_bundle_decides_by_what_it_was_exported_with(strict, lent):
    assert here(strict, lent) == there(lent, "threshold=0.9", "positive=yes")
    assert here(strict, lent) != there(lent)
    assert '"cutoff": {"positive": "yes", "threshold": 0.9}' in here(strict, lent)


def test_another_one_may_be_asked_for(strict, lent):
    assert here(strict, lent, "threshold=0.3") == there(lent, "threshold=0.3")
    assert here(strict, lent, "threshold=0.5") == there(lent)
    words = ("threshold=0.7", "positive=no")
    assert here(strict, lent, *words) == there(lent, *words)


def test_the_card_tells_it(strict):
    card = " ".join((strict / "MODEL_CARD.md").read_text().split())
    assert "- decision: yes from 90% on, by its probability" in card
    assert "not of the threshold** by which the model decides (yes from 90% on)" in card


def test_formats_without_a_place_for_it_have_a_warning(strict, lent):
    rows = lent / "applicants.csv"
    found = explain_elsewhere(strict, rows, "format=csv")
    assert "decides yes from 90% on; csv does not tell this" in found.err
    assert explain_elsewhere(strict, rows, "format=csv", "threshold=0.9").err == ""


def test_one_half_leaves_a_bundle_as_it_was(bundle, lent):
    even = export(lent, "even", "threshold=0.5")
    told, expected = files(even), files(bundle)
    for content in (told, expected):
        manifest = json.loads(content.pop("manifest.json"))
        assert "decision.json" not in manifest["files"]
    assert told == expected


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"threshold": 1.5}, "threshold: expected a number in (0, 1), got 1.5"),
        ({"threshold": None}, "threshold: expected a number in (0, 1), got None"),
        ({"positive": 3}, "positive: expected a text, got 3"),
        ({"positive": "maybe"}, "expected a threshold of one of two classes, got one"),
        ({"other": 1}, "other: expected one of positive, threshold"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(values, said, strict, tmp_path):
    copy = shutil.copytree(strict, tmp_path / "copy")
    change(copy, "decision.json", **values)
    with pytest.raises(ResultError) as caught:
        read_bundle(copy, None)
    assert str(copy / "decision.json") in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("threshold=1.2",), "export.threshold: expected a number in (0, 1), got 1.2"),
        (("threshold=0.8", "positive=x"), "positive: expected one of the classes"),
    ],
)
def test_an_export_with_another_one_is_refused(words, said, lent):
    before = files(lent)
    words = ("export", "outputs/all", "refused", "onnx=false", *words)
    found = call(*words, cwd=lent, CFTRAIN_DATA=str(lent))
    assert found.message.startswith(said)
    assert files(lent) == before


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_the_decision_of_the_onnx_file_is_that_of_the_threshold(
    lent, tmp_path, monkeypatch
):
    import onnxruntime

    monkeypatch.setenv("CFTRAIN_DATA", str(lent))
    store = Store(lent / "outputs/all")
    model = stored_model(store, str(chosen_cell(store.cells(), None)["cell"]))
    model = replace(model, cutoff=Cutoff(positive="no", threshold=0.8))
    write_onnx(tmp_path, model)
    runtime = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    raw = model.codec.decode(model.test_rows)
    feed = inputs_of(model.codec, image=False).feed(raw)
    logits, probabilities, decision = runtime.run(list(OUTPUTS), feed)
    own = model.model(model.codec.encode(raw).unsqueeze(0))[0].detach()
    np.testing.assert_allclose(logits, own.numpy(), atol=1e-5)
    np.testing.assert_allclose(probabilities, own.softmax(-1).numpy(), atol=1e-5)
    by_threshold = torch.from_numpy(probabilities)[:, 0] >= 0.8
    expected = ["no" if each else "yes" for each in by_threshold.tolist()]
    assert decision.tolist() == expected
    assert 0 < by_threshold.sum() < len(raw)
