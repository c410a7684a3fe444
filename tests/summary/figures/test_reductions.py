import numpy as np
import pytest
from scipy import stats

from cftrain.summary.figures.reductions import reductions, reductions_of
from cftrain.summary.reading.replicas import replicas
from tests.summary.rows import metric_rows
from tests.summary.stores import STACK, cells, write_grid

ROUNDS, WEIGHTS, SEEDS = 4, (0.1, 5.0), (1, 2, 3)


def values(objective: str, seed: int) -> np.ndarray:
    """(weight, round)"""
    generator = np.random.default_rng([len(objective), seed])
    return generator.uniform(1, 2, (len(WEIGHTS), ROUNDS))


@pytest.fixture
def collection(tmp_path):
    rows = cells(["moons"], ["full", "energy", "vanilla"], SEEDS)
    metrics = []
    for row in rows:
        found = values(row["objective"], row["seed"])
        by_key = {
            (weight, number): float(found[place, number])
            for place, weight in enumerate(WEIGHTS)
            for number in range(ROUNDS)
        }
        metrics += metric_rows(row["cell"], STACK, "ip", by_key)
        negative = {key: value - 3 for key, value in by_key.items()}
        metrics += metric_rows(row["cell"], STACK, "ip_star", negative)
    return write_grid(tmp_path, rows, metrics=metrics)


def expected(objective: str) -> list[float]:
    return [
        100 * (1 - np.mean(values(objective, s).mean(0) / values("vanilla", s).mean(0)))
        for s in SEEDS
    ]


def test_reductions_are_those_of_the_main_table(collection):
    (group,) = replicas(collection)
    found = reductions_of(collection, group)
    assert set(found["measure"]) == {"ip"}, "no ratio to a negative baseline"
    for objective in ("full", "energy"):
        of_objective = found[found["objective"] == objective].sort_values("seed")
        assert of_objective["reduction"].tolist() == pytest.approx(expected(objective))


def test_marks_are_seeds_means_and_intervals(collection):
    (drawing,) = reductions(collection)
    assert drawing.name == "reductions-ablation"
    assert "3 seeds" in drawing.caption
    (axis,) = drawing.figure.get_axes()
    marks = [line.get_ydata() for line in axis.get_lines()[1:]]
    shown = [list(mark) for mark in marks if len(mark)]
    for place, objective in enumerate(("full", "energy")):
        numbers = expected(objective)
        assert shown[2 * place] == pytest.approx(numbers)
        assert shown[2 * place + 1] == pytest.approx([np.mean(numbers)])
        (line,) = axis.collections[place].get_segments()
        interval = stats.t.interval(0.95, 2, np.mean(numbers), stats.sem(numbers))
        assert line[:, 1] == pytest.approx(interval)


def test_without_baselines_there_is_nothing_to_show(tmp_path):
    rows = cells(["moons"], ["full"], [1])
    assert list(reductions(write_grid(tmp_path, rows))) == []
