import pytest

from cftrain.summary.table_a1.against_published import AgainstPublished, grade
from tests.summary.experiments import Pair, reader_of, values, write_grid
from tests.summary.table_a1.test_replication import coordinates

LAYOUT = AgainstPublished(
    name="table_a1",
    title="Table A1",
    caption="Of it.",
    grid="table_a1",
    dataset="linearly_separable",
    metric="ip_all",
    published="table_a1.csv",
)


def pair(ours: float, weight: float, generator: str = "ecco", **given) -> Pair:
    return Pair(
        data="linearly_separable",
        model={"ip_all": values(ours, ours)},
        baseline={"ip_all": values(100.0, 100.0)},
        coordinates=coordinates(weight, generator),
        **given,
    )


@pytest.mark.parametrize(
    ("difference", "expected"), [(0, "A"), (1, "A"), (1.1, "B"), (2, "B"), (2.1, "C")]
)
def test_grades_count_combined_deviations(difference, expected):
    assert grade(difference, 1.0) == expected


def test_ours_stand_beside_the_published_values(tmp_path):
    """Published: 28.9 ± 2.28 for ECCo, -11.3 for Generic, -55.3 for REVISE."""
    pairs = [
        pair(ours, 0.1, generator)
        for generator, ours in (("ecco", 70.0), ("generic", 60.0), ("revise", 150.0))
    ]
    write_grid(tmp_path, pairs, grid="table_a1")
    table = LAYOUT.table(reader_of(tmp_path))
    entries = {
        head.key: table.find(["0.75", "0.1", "25", head.key])[2] for head in table.heads
    }
    assert entries["ecco"].value == pytest.approx(30)
    assert entries["ecco_published"].shown() == "28.9 ± 2.3"
    assert entries["ecco_grade"].shown() == "A A"
    assert entries["revise"].value == pytest.approx(-50)
    best = {key for key, entry in entries.items() if entry.best}
    assert best == {"generic", "ecco_published"}
    assert len([row for row in table.rows if not row.summary]) == 45


def test_points_that_are_not_there_are_empty(tmp_path):
    write_grid(tmp_path, [pair(70.0, 0.1)], grid="table_a1")
    table = LAYOUT.table(reader_of(tmp_path))
    _, _, entry = table.find(["0.75", "0.1", "25", "revise"])
    assert entry.shown() == "–"
    assert table.find(["positive", "", "", "ecco"])[2].shown() == "1/1"
    assert any(note.startswith("cannot be judged") for note in table.notes)


def test_replicates_are_told_from_shared_training(tmp_path):
    """Three points of the generic generator that differ in nothing that matters."""
    pairs = [
        pair(ours, weight, "generic", seed=seed)
        for seed, (ours, weight) in enumerate([(70.0, 0.1), (80.0, 0.5), (90.0, 5.0)])
    ]
    write_grid(tmp_path, pairs, grid="table_a1")
    table = LAYOUT.table(reader_of(tmp_path))
    assert table.find(["replicate sd", "", "", "generic"])[2].value == pytest.approx(10)
    assert any("a model and a baseline of its own" in note for note in table.notes)


def test_without_results_there_are_no_rows(tmp_path):
    write_grid(tmp_path, [pair(70.0, 0.1)])
    assert LAYOUT.table(reader_of(tmp_path)).rows == ()
