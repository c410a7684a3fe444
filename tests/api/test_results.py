"""Tidy tables of what is on disk."""

import pytest

import cftrain
from cftrain.errors import ArgumentError, ConfigError, ResultError
from cftrain.results.store import Store
from tests.console import TINY_MOONS, call


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two folders of results, whose models differ in their seeds and ridges."""
    root = tmp_path_factory.mktemp("outputs")
    for name, seed, ridge in (("a", 1, 0.1), ("b", 2, 0.2)):
        words = (f"seed={seed}", f"objective.ridge_weight={ridge}", "compare=none")
        place = f"hydra.run.dir={root / name}"
        assert call("train", *TINY_MOONS, *words, place).code == 0
    return root


def test_every_row_has_what_was_varied(folder):
    found = cftrain.read_results(folder)
    assert found.varied == ("objective.ridge_weight",)
    for table in (found.metrics, found.history, found.individuals, found.cells):
        pairs = table[["seed", "objective.ridge_weight"]].drop_duplicates()
        assert sorted(pairs.itertuples(index=False, name=None)) == [(1, 0.1), (2, 0.2)]
        assert "stack" not in table


def test_the_numbers_are_those_of_the_store(folder):
    found = cftrain.read_results(str(folder / "a"))
    store = Store(folder / "a")
    stored = store.rows("metrics", store.evaluations())
    columns = ["metric", "energy_weight", "round", "epsilon", "value", "rows"]
    assert found.metrics[columns].equals(stored[columns])
    assert found.varied == ()
    assert set(found.metrics["data"]) == {"moons"}


def test_tables_that_were_not_asked_for_are_empty(folder):
    found = cftrain.read_results(folder)
    for table in (found.transfer, found.gallery, found.attributions):
        assert table.empty
        assert "seed" in table


def test_a_folder_without_results_is_told(tmp_path):
    with pytest.raises(ResultError, match="expected results of cftrain train"):
        cftrain.read_results(tmp_path)
    with pytest.raises(ResultError, match="expected a folder"):
        cftrain.read_results(tmp_path / "none")


def test_a_training_is_that_of_the_command(folder, capfd):
    again = cftrain.train(
        [*TINY_MOONS, "seed=1", "objective.ridge_weight=0.1"], folder=folder / "a"
    )
    assert capfd.readouterr().out == ""
    found = cftrain.read_results(folder / "a")
    assert again.folder == folder / "a"
    assert again.model in set(found.cells["cell"])  # the same cell: trained only once
    assert set(again.metrics["cell"]) == {again.model, again.baseline}
    assert set(again.history["objective"]) == {"full", "vanilla"}
    assert again.weights["0.weight"].shape == (32, 2)
    one = found.metrics.query(f"cell == {again.model!r}")
    assert one["value"].equals(again.metrics.query(f"cell == {again.model!r}")["value"])


def test_results_go_where_the_command_puts_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = cftrain.train([*TINY_MOONS, "compare=none", "name=small"])
    assert run.folder == tmp_path / "outputs" / "small"
    assert run.baseline is None


def test_threads_of_the_caller_are_put_back(tmp_path):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        cftrain.train([*TINY_MOONS, "compare=none"], folder=tmp_path)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_model_that_diverges_is_an_error(tmp_path):
    rate = "schedule.optimiser.learning_rate=1e38"
    with pytest.raises(ResultError, match=r"failed: cell .*: diverged"):
        cftrain.train([*TINY_MOONS, "compare=none", rate], folder=tmp_path)
    assert set(cftrain.read_results(tmp_path).cells["status"]) == {"failed"}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        ("seed=3", ArgumentError, "a list of texts"),
        ([3], ArgumentError, "a list of texts"),
        (["--multirun", "seed=1,2"], ConfigError, "got '--multirun'"),
        (["seed=1,2"], ConfigError, "seed"),
        (["seed=-1"], ConfigError, "seed: expected"),
        (["experiment=mons"], ConfigError, "did you mean 'moons'"),
        (["data=mons"], ConfigError, "did you mean 'moons'"),
        (["sead=1"], ConfigError, "did you mean 'seed'"),
        (["data=table"], ConfigError, "data.path: expected a value"),
    ],
)
def test_words_that_mean_nothing_are_told(words, kind, told, tmp_path):
    with pytest.raises(kind, match=told):
        cftrain.train(words, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
