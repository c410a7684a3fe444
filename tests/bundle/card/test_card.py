"""The model card tells what is in the folder, and stays a card whatever names say."""

from dataclasses import replace

import pandas as pd
import pytest

from cftrain.advice.stored import chosen_cell, replicates, stored_model
from cftrain.bundle.card.card import About, model_card
from cftrain.bundle.measured import Measured, measured
from cftrain.results.store import Store
from tests.bundle.sealing import export


@pytest.fixture
def about(lent, monkeypatch) -> About:
    monkeypatch.setenv("CFTRAIN_DATA", str(lent))
    store = Store(lent / "outputs/all")
    cell = chosen_cell(store.cells(), None)["cell"]
    names = [cell, *replicates(store.cells(), cell)]
    return About(
        model=stored_model(store, cell),
        cells=store.cells().set_index("cell", drop=False).loc[names],
        measured=measured(store, names),
        overview=None,
        reference=True,
        data_licence="CC BY 4.0",
        onnx="none",
    )


def test_a_card_says_what_people_ask(about):
    card = model_card(about)
    for told in (
        "# Model card: lending",
        "trained by counterfactual training",
        "between: no, yes.",
        "120 training, 30 validation and 50 test rows",
        "licence: CC BY 4.0",
        "| age    | 18 to 100 ",
        "| accuracy ",
        "2 seeds",
        "May not change, or one way only: age.",
        "reliance on protected features (their share of all integrated gradients): 0.",
        "150 observed rows",
        "## Limits",
    ):
        assert told in card
    accuracy = about.measured.metrics.query("metric == 'accuracy'").set_index("cell")
    value = accuracy.loc[about.cell["cell"], "value"]
    assert f"| {value:.4g} " in card


def test_a_baseline_and_a_model_without_evaluation_are_called_so(lent, about):
    card = (export(lent, "plain", "objective=vanilla") / "MODEL_CARD.md").read_text()
    assert "trained in the usual way, without counterfactuals" in " ".join(card.split())
    unmeasured = Measured(protocol=None, config={}, metrics=pd.DataFrame())
    card = model_card(replace(about, measured=unmeasured, reference=False))
    assert "It was not evaluated." in card
    assert "How much the model uses them was not measured." in card
    assert "No observed rows are in this folder" in card
    assert "licence: not told" in model_card(replace(about, data_licence=None))


def test_names_stay_texts(about):
    strange = replace(
        about.model,
        data="<script>alert(1)</script>",
        class_names=("no\n# yes", "<b>x"),
    )
    licence = "<img src=x>\n## more"
    card = model_card(replace(about, model=strange, data_licence=licence))
    assert "\n# yes" not in card
    assert "\n## more" not in card
    for tag in ("<script", "<img", "<b>"):
        assert f"\\{tag}" in card
        assert card.count(tag) == card.count(f"\\{tag}")
