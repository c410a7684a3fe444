import re

import pytest

from cftrain.errors import ResultError
from cftrain.results.store import Store
from cftrain.summary.report import report
from tests.summary.rows import (
    PROTOCOL,
    cell_row,
    metric_rows,
    row,
    write_evaluation,
    write_stack,
)

IP = "implausibility IP (L1)"


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def metrics(cell: str, scale: float = 1.0) -> list[dict]:
    return [
        *metric_rows(
            cell, "s", "accuracy", {(None, None): 0.5 * scale}, higher_is_better=True
        ),
        *metric_rows(cell, "s", "ip", {(0.1, 0): 2 * scale, (0.1, 1): 4 * scale}),
        *metric_rows(cell, "s", "ip_star", {(0.1, 0): None}),
    ]


def write_pair(store: Store, **objectives: str) -> None:
    """Cells of the given objectives; the values of the second are twice as large."""
    names = list(objectives)
    write_stack(
        store,
        "s",
        [cell_row(cell, "s", objective=kind) for cell, kind in objectives.items()],
        [r for place, cell in enumerate(names) for r in metrics(cell, 1.0 + place)],
        [
            row("history", cell=cell, epoch=epoch, mature_share=share, search_steps=8.0)
            for cell, kind in objectives.items()
            for epoch, share in ((1, 0.25), (2, 0.5))
            if kind != "vanilla"
        ],
    )


def lines_of(text: str) -> dict[str, list[str]]:
    """Cells of the table by the name of their line."""
    found = {}
    for line in text.splitlines():
        name, *rest = re.split(r"\s{2,}", line.strip())
        found[name] = rest
    return found


def test_a_pair_is_a_line_for_each_measure(store):
    write_pair(store, ct="full", bl="vanilla")
    text = report(store, ["ct", "bl"], PROTOCOL)
    found = lines_of(text)
    assert "BL" in found
    assert found["BL"] == ["CT", "CT against BL"]
    assert found["accuracy"] == ["1.000", "0.500", "▼", "-50.0 points"]
    assert found[IP][:2] == ["6.000", "3.000"]
    assert found[IP][2:] == ["▲", "50.0 ± 0.0 % lower"]
    assert found["implausibility IP* (MMD²)"] == ["-", "-", "-"]


def test_the_header_says_which_data_was_used(store):
    write_pair(store, ct="full", bl="vanilla")
    assert report(store, ["ct", "bl"], PROTOCOL).splitlines()[0] == (
        "moons (generated, 10 training and 5 test rows), mlp, ecco, seed 1, 2 epochs"
    )


def test_more_of_what_should_be_small_is_called_higher(store):
    write_pair(store, bl="vanilla", ct="full")
    assert lines_of(report(store, ["ct", "bl"], PROTOCOL))[IP][2:] == [
        "▼",
        "100.0 ± 0.0 % higher",
    ]


def test_a_floor_is_no_reduction(store):
    cells = [cell_row("ct", "s"), cell_row("bl", "s", objective="vanilla")]
    rows = [
        *metric_rows("ct", "s", "ip_floor", {(0.1, 0): 3.0}),
        *metric_rows("bl", "s", "ip_floor", {(0.1, 0): 4.0}),
    ]
    write_stack(store, "s", cells, rows)
    told = report(store, ["ct", "bl"], PROTOCOL, every=True)
    assert lines_of(told)["IP of observed rows"] == ["4.000", "3.000", "-"]


def test_notes_tell_of_maturity_and_time(store):
    write_pair(store, ct="full", bl="vanilla")
    text = report(store, ["ct", "bl"], PROTOCOL)
    assert (
        "CT: on average over all epochs, 0.375 of the counterfactuals mature, "
        "8.0 of 30 steps"
    ) in text
    assert "BL: " not in text
    assert text.endswith("trained in 1.5 s (CT) and 1.5 s (BL), evaluated in 0.5 s")


def test_a_cell_that_failed_has_no_numbers(store):
    """Even if something was measured on it."""
    failed = cell_row("ct", "s", status="failed", reason="diverged")
    cells = [failed, cell_row("bl", "s", objective="vanilla")]
    write_stack(store, "s", cells, metrics("bl"))
    measured = [{**failed, "status": "done"}]
    write_evaluation(store, "t", measured, metrics=metrics("ct"))
    text = report(store, ["ct", "bl"], PROTOCOL)
    assert lines_of(text)[IP] == ["3.000", "-", "-"]
    assert "CT: FAILED, diverged" in text


def test_without_any_number_there_is_no_table(store):
    failed = cell_row("ct", "s", status="failed", reason="diverged")
    write_stack(store, "s", [failed])
    lines = report(store, ["ct"], PROTOCOL).splitlines()
    assert lines[1:] == ["CT: FAILED, diverged", "trained in 1.5 s"]


def test_numbers_are_those_of_the_protocol(store):
    write_pair(store, ct="full")
    others = metric_rows("ct", "e", "ip", {(0.1, 0): 7.0}, protocol="other")
    cells = [cell_row("ct", "s")]
    write_evaluation(store, "e", cells, protocol="other", metrics=others)
    assert lines_of(report(store, ["ct"], PROTOCOL))[IP] == ["3.000"]
    assert lines_of(report(store, ["ct"], "other"))[IP] == ["7.000"]
    assert "CT: NOT EVALUATED" in report(store, ["ct"], "nosuch")


def test_skipped_updates_are_told(store):
    history = [row("history", cell="ct", epoch=n, skipped_batches=2.0) for n in (1, 2)]
    write_stack(store, "s", [cell_row("ct", "s")], metrics("ct"), history)
    assert "CT: 4 updates were skipped because" in report(store, ["ct"], PROTOCOL)


def test_a_model_alone_has_one_column(store):
    write_pair(store, ct="full")
    text = report(store, ["ct"], PROTOCOL)
    found = lines_of(text)
    assert found["accuracy"] == ["0.500"]
    assert found[IP] == ["3.000"]
    assert found["implausibility IP* (MMD²)"] == ["-"]
    assert "BL" not in text
    assert "baseline" not in text


def test_a_baseline_alone_has_one_column(store):
    write_pair(store, bl="vanilla")
    assert lines_of(report(store, ["bl"], PROTOCOL))["accuracy"] == ["0.500"]


@pytest.mark.parametrize(("twin", "label"), [("energy", "CD"), ("adversarial", "AR")])
def test_a_twin_of_another_objective_is_shown_too(store, twin, label):
    write_pair(store, ct="full", twin=twin)
    found = lines_of(report(store, ["ct", "twin"], PROTOCOL))
    assert found[IP][:2] == ["6.000", "3.000"]
    assert label in found


def test_a_vanilla_model_is_held_against_its_twin(store):
    write_pair(store, bl="vanilla", twin="energy")
    assert lines_of(report(store, ["bl", "twin"], PROTOCOL))[IP][:2] == [
        "6.000",
        "3.000",
    ]


def test_cells_that_are_not_there_are_an_error(store):
    write_pair(store, ct="full")
    with pytest.raises(ResultError, match=r"expected results of \['other'\], got none"):
        report(store, ["ct", "other"], PROTOCOL)


def test_lines_fit_a_terminal(store):
    write_pair(store, ct="full", bl="vanilla")
    assert max(map(len, report(store, ["ct", "bl"], PROTOCOL).splitlines())) <= 88
