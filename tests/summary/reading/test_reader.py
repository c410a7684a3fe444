import pytest

from cftrain.errors import ResultError
from cftrain.summary.reading.reader import Selection
from tests.summary.experiments import (
    SELECTION,
    Pair,
    evidence_of,
    values,
    write_grid,
)

PAIR = {"model": {"ip": values(1.0)}, "baseline": {"ip": values(2.0)}}


def selection(*grids: str, protected: bool = False) -> Selection:
    return Selection(grids=grids, objective="full", protected=protected)


def test_trials_are_sorted_by_seed(tmp_path):
    write_grid(tmp_path, [Pair(**PAIR, seed=seed) for seed in (7, 2, 5)])
    (trials,) = evidence_of(tmp_path).trials(SELECTION, "moons")
    assert [trial.seed for trial in trials] == [2, 5, 7]
    assert (trials[0].model, trials[0].baseline) == ("main-1-ct", "main-1-bl")


def test_the_first_grid_that_has_a_dataset_is_taken_for_it(tmp_path):
    write_grid(tmp_path / "a", [Pair(**PAIR)], grid="single")
    write_grid(tmp_path / "b", [Pair(**PAIR), Pair(**PAIR, data="adult")], "ablation")
    evidence = evidence_of(tmp_path)
    chosen = selection("main", "single", "ablation")
    assert evidence.datasets([chosen]) == ["moons", "adult"]
    for data, grid in (("moons", "single"), ("adult", "ablation")):
        ((trial,),) = evidence.trials(chosen, data)
        assert trial.grid == grid
    assert evidence.trials(selection("main"), "moons") == []


def test_protected_models_are_others(tmp_path):
    write_grid(tmp_path, [Pair(**PAIR), Pair(**PAIR, protected=1, data="adult")])
    evidence = evidence_of(tmp_path)
    assert evidence.datasets([SELECTION]) == ["moons"]
    assert evidence.datasets([selection("main", protected=True)]) == ["adult"]


def test_seeds_and_where_data_is_make_no_setting(tmp_path):
    pairs = [
        Pair(**PAIR, seed=seed, setting={"data": {"rows": 9, "root": f"/{seed}"}})
        for seed in (1, 2)
    ]
    write_grid(tmp_path, [*pairs, Pair(**PAIR, setting={"data": {"rows": 8}})])
    settings = evidence_of(tmp_path).trials(SELECTION, "moons")
    assert [[trial.seed for trial in trials] for trials in settings] == [[1, 2], [1]]


def test_other_sources_of_the_data_are_other_settings(tmp_path):
    other = Pair(**PAIR, seed=2, model_cell={"data_source": "embedded"})
    write_grid(tmp_path, [Pair(**PAIR), other])
    assert len(evidence_of(tmp_path).trials(SELECTION, "moons")) == 2


@pytest.mark.parametrize("role", ["model", "baseline"])
def test_protocols_are_not_mixed(role, tmp_path):
    odd = Pair(**PAIR, seed=2, **{f"{role}_cell": {"protocol": "quick"}})
    write_grid(tmp_path, [Pair(**PAIR), odd])
    with pytest.raises(ResultError, match=r"moons: expected .* by one protocol") as e:
        evidence_of(tmp_path).trials(SELECTION, "moons")
    assert f"quick in {tmp_path}" in str(e.value)


def test_rows_are_those_of_the_cell(tmp_path):
    write_grid(tmp_path, [Pair(**PAIR)])
    evidence = evidence_of(tmp_path)
    assert evidence.rows("metrics", "main-0-ct")["value"].to_list() == [1.0]
    assert evidence.rows("individuals", "main-0-ct").empty
    assert evidence.file("metrics", "main-0-ct").is_file()
