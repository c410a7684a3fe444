"""The published table, and ours beside it."""

import shutil

import pytest

from cftrain.errors import ResultError
from cftrain.summary.reading.selection import Trial
from cftrain.summary.table_a1.replication import (
    Effect,
    Key,
    published_effects,
    replicate_deviation,
    shares_training,
    trained_effects,
)
from tests.summary.experiments import (
    PUBLISHED,
    Pair,
    reader_of,
    values,
    write_grid,
)

PUBLISHED_EFFECTS = published_effects(PUBLISHED / "table_a1.csv")


def own(effects: dict[Key, Effect]) -> dict[Key, Effect]:
    """The same values, each of a model and a baseline of its own."""
    return {
        key: Effect(
            value=effect.value,
            std=effect.std,
            count=25,
            trials=(trial(f"ct-{number}", f"bl-{number}"),),
        )
        for number, (key, effect) in enumerate(effects.items())
    }


def trial(model: str, baseline: str) -> Trial:
    return Trial(seed=1, grid="g", model=model, baseline=baseline, protocol=None)


def coordinates(weight: float = 5.0, generator: str = "ecco") -> dict:
    return {
        "generator": generator,
        "maturity.threshold": 0.75,
        "generator.energy_weight": weight,
        "search.max_steps": 25,
    }


def pair(ours, theirs, **given) -> Pair:
    return Pair(
        data="linearly_separable",
        model={"ip_all": ours},
        baseline={"ip_all": theirs},
        coordinates=coordinates(),
        **given,
    )


def trained(folder, pairs) -> dict[Key, Effect]:
    write_grid(folder, pairs, grid="table_a1")
    reader = reader_of(folder)
    points = reader.points("table_a1", "linearly_separable").points
    return dict(trained_effects(reader, points, "ip_all"))


def test_the_published_table_is_whole():
    assert len(PUBLISHED_EFFECTS) == 3 * 5 * 3 * 3
    assert PUBLISHED_EFFECTS[Key(0.75, 0.1, 25, "ecco")] == Effect(
        value=28.9, std=2.28, count=1
    )


@pytest.mark.parametrize(
    ("generator", "expected", "freedom"),
    [("generic", 14.8, 36), ("revise", 15.9, 36), ("ecco", 21.4, 12)],
)
def test_the_published_replicates(generator, expected, freedom):
    found = replicate_deviation(PUBLISHED_EFFECTS, generator)
    assert found == (pytest.approx(expected, abs=0.06), freedom)


def test_an_effect_is_over_weights_and_rounds(tmp_path):
    """100 (2 - 1) / 2 and 100 (4 - 5) / 4."""
    ours = {**values(1.0, weight=0.1), **values(5.0, weight=5.0)}
    theirs = {**values(2.0, weight=0.1), **values(4.0, weight=5.0)}
    ((key, effect),) = trained(tmp_path, [pair(ours, theirs)]).items()
    assert key == Key(0.75, 5.0, 25, "ecco")
    assert effect.value == pytest.approx((50 - 25) / 2)
    assert effect.std == pytest.approx(75 / 2**0.5)
    assert effect.count == 2


def test_a_copied_folder_counts_once(tmp_path):
    trained(tmp_path / "a", [pair(values(1.0), values(2.0))])
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    reader = reader_of(tmp_path)
    points = reader.points("table_a1", "linearly_separable").points
    (effect,) = trained_effects(reader, points, "ip_all").values()
    assert (effect.value, effect.count, len(effect.trials)) == (50, 1, 1)


def test_there_is_no_change_against_what_is_not_positive(tmp_path):
    ours, theirs = values(1.0, 1.0, 1.0), values(2.0, 0.0, -1.0)
    (effect,) = trained(tmp_path, [pair(ours, theirs)]).values()
    assert (effect.value, effect.count) == (50, 1)


def test_several_seeds_of_a_point_go_together(tmp_path):
    pairs = [
        pair(values(1.0), values(2.0), seed=1),
        pair(values(1.0), values(1.0), seed=2),
    ]
    (effect,) = trained(tmp_path, pairs).values()
    assert (effect.value, effect.count) == (25, 2)
    assert not shares_training({Key(0, 0, 0, "ecco"): effect})


def test_failed_points_are_left_out(tmp_path):
    failed = pair(
        values(1.0), values(2.0), model_cell={"status": "failed", "reason": "diverged"}
    )
    assert trained(tmp_path, [failed]) == {}


def test_shared_training_has_no_replicates():
    shared = {
        key: Effect(value=e.value, std=e.std, count=25, trials=(trial("m", "b"),))
        for key, e in PUBLISHED_EFFECTS.items()
    }
    assert shares_training(shared)
    assert replicate_deviation(shared, "generic") is None
    assert not shares_training(own(PUBLISHED_EFFECTS))


def test_a_damaged_published_table_is_one_message(tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(ResultError, match="expected columns decision_threshold"):
        published_effects(path)
    path.write_text("value,std\n1,2\n")
    with pytest.raises(ResultError, match="expected columns decision_threshold"):
        published_effects(path)
