import pytest

from cftrain.commands.command_line.options import clamped
from tests.commands.grids import small
from tests.console import call, compose, run_of

DATA = {"training_rows": 100}


def test_defaults_give_way_to_few_rows_with_a_note_each():
    values = {"data": DATA, "schedule": {"counterfactuals": 1000, "batch_rows": 30}}
    changed, notes = clamped(values, set())
    assert changed["schedule"] == {"counterfactuals": 100, "batch_rows": 30}
    assert values["schedule"]["counterfactuals"] == 1000
    assert notes == [
        "schedule.counterfactuals: 100 instead of 1000, as there are no more training "
        "rows"
    ]


def test_what_was_typed_stays():
    values = {"data": DATA, "schedule": {"counterfactuals": 1000, "batch_rows": 500}}
    changed, notes = clamped(values, {"schedule.counterfactuals", "data"})
    assert changed["schedule"] == {"counterfactuals": 1000, "batch_rows": 100}
    assert len(notes) == 1


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"data": None, "schedule": {"counterfactuals": 5, "batch_rows": 5}},
        {"data": {}, "schedule": {"counterfactuals": 5, "batch_rows": 5}},
        {"data": {"training_rows": "many"}, "schedule": {"counterfactuals": 5}},
        {"data": {"training_rows": -1}, "schedule": {"counterfactuals": 5}},
        {"data": DATA, "schedule": {"counterfactuals": "many", "batch_rows": None}},
        {"data": DATA, "schedule": {"counterfactuals": 100, "batch_rows": 100}},
    ],
)
def test_other_mistakes_are_left_to_who_judges_them(values):
    assert clamped(values, set()) == (values, [])


def test_small_data_need_no_other_change():
    run = run_of("data=moons", "data.training_rows=20")
    assert (run.schedule.counterfactuals, run.schedule.batch_rows) == (20, 20)


def test_a_count_that_was_typed_is_refused(tmp_path):
    words = ["data=moons", "data.training_rows=50", f"hydra.run.dir={tmp_path}"]
    outcome = call("train", *words, "schedule.batch_rows=60")
    assert "schedule.batch_rows: expected at most" in outcome.err
    assert "schedule.counterfactuals" not in outcome.err


def test_a_grid_notes_a_default_once(tmp_path):
    words = small(tmp_path, "schedule.batch_rows=20", "data.training_rows=500")
    outcome = call(*words, "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    default = compose("data=moons").schedule.counterfactuals
    note = f"schedule.counterfactuals: 500 instead of {default}"
    assert outcome.out.count(note) == 1


def test_a_grid_refuses_a_value_of_an_axis_that_is_too_large(tmp_path):
    words = small(tmp_path, "grid.axes={schedule.counterfactuals:[100,1300]}")
    message = call(*words, "--dry-run").message
    assert message.startswith("schedule.counterfactuals: expected at most")
    assert message.endswith("got 1300")
