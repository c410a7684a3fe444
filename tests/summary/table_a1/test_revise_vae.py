"""REVISE over several autoencoders: each has its mean, and they have their spread."""

import numpy as np
import pytest

from cftrain.summary.statistics.intervals import t_interval
from cftrain.summary.table_a1.revise_vae import ReviseOverVaes
from cftrain.summary.tables.table import Table
from tests.summary.experiments import Pair, reader_of, values, write_grid

LAYOUT = ReviseOverVaes(
    name="revise_vae",
    title="REVISE",
    caption="Of it.",
    grid="revise_vae",
    dataset="linearly_separable",
    metric="ip_all",
    axis="generator.space.vae.seed",
    interval="t",
    published="table_a1.csv",
)


def pair(vae: int, steps: int, *ours: float, **given) -> Pair:
    return Pair(
        data="linearly_separable",
        model={"ip_all": values(*ours)},
        baseline={"ip_all": values(*[100.0] * len(ours))},
        coordinates={
            "generator": "revise",
            "generator.space.vae.seed": vae,
            "maturity.threshold": 0.75,
            "search.max_steps": steps,
        },
        **given,
    )


def table(folder, *pairs: Pair) -> Table:
    write_grid(folder, pairs, grid="revise_vae")
    return LAYOUT.table(reader_of(folder))


def test_means_by_autoencoder_and_their_spread(tmp_path):
    """Reductions of 10 and 30, of 40 and 60, and of -20 by one point."""
    found = table(
        tmp_path,
        pair(7, 5, 85.0, 95.0),
        pair(7, 25, 70.0),
        pair(2, 5, 60.0),
        pair(2, 25, 40.0),
        pair(3, 5, 120.0),
    )
    assert [row.labels for row in found.rows] == [
        ("2",),
        ("3",),
        ("7",),
        ("mean",),
        ("sd",),
        ("published",),
    ]
    lines = {row.labels[0]: row.entries for row in found.rows}
    means = [50.0, -20.0, 20.0]
    assert [lines[name][0].value for name in "237"] == pytest.approx(means)
    assert lines["2"][1].value == pytest.approx(np.std([40, 60], ddof=1))
    assert [lines[name][2].shown() for name in "237"] == ["2", "1", "2"]
    expected = t_interval(means)
    mean = lines["mean"][0]
    assert (mean.value, mean.low, mean.high) == pytest.approx(
        (expected.centre, expected.low, expected.high)
    )
    assert lines["sd"][0].value == pytest.approx(np.std(means, ddof=1))


def test_published_values_are_those_of_our_thresholds_and_steps(tmp_path):
    """Five energy weights, which REVISE does not have, at each of them."""
    found = table(tmp_path, pair(1, 25, 80.0))
    assert found.find(["published", "points"])[2].shown() == "5"
    assert found.find(["mean", "reduction"])[2].note == "one autoencoder only"
    assert found.find(["sd", "reduction"])[2].shown() == "–"


def test_failed_points_are_left_out(tmp_path):
    failed = {"status": "failed", "reason": "diverged"}
    found = table(tmp_path, pair(1, 5, 80.0), pair(1, 25, 0.0, model_cell=failed))
    assert found.find(["1", "reduction"])[2].value == pytest.approx(20)


def test_without_such_a_grid_there_are_no_rows(tmp_path):
    write_grid(tmp_path, [pair(1, 5, 80.0)], grid="table_a1")
    assert LAYOUT.table(reader_of(tmp_path)).rows == ()
