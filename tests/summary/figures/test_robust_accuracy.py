import pytest

from cftrain.summary.figures.robust_accuracy import robust_accuracy
from tests.summary.stores import attacked, cell, cells, curves, panels, write_grid

LEVELS = (0.0, 0.05, 0.1)


def accuracies(objective: str, seed: int) -> list[float]:
    start = {"full": 0.9, "vanilla": 0.8}[objective]
    return [start - (1 + seed) * level for level in LEVELS]


@pytest.fixture
def collection(tmp_path):
    rows = cells(["moons", "linearly_separable"], ["full", "vanilla"], [1, 2])
    metrics = [
        found
        for row in rows
        for attack in ("fgsm_accuracy", "pgd_accuracy")
        for found in attacked(
            row["cell"],
            attack,
            dict(zip(LEVELS, accuracies(row["objective"], row["seed"]), strict=True)),
        )
    ]
    return write_grid(tmp_path, rows, metrics=metrics)


def test_there_is_a_drawing_for_each_attack_and_a_panel_for_each_dataset(collection):
    fgsm, pgd = robust_accuracy(collection)
    assert (fgsm.name, pgd.name) == (
        "robust_accuracy-fgsm-ablation",
        "robust_accuracy-pgd-ablation",
    )
    assert list(panels(fgsm.figure)) == ["LS", "Moon"]
    assert "PGD" in pgd.title
    assert "2 seeds" in pgd.caption


def test_curves_are_means_over_seeds_and_bands_hold_all_of_them(collection):
    drawing = next(robust_accuracy(collection))
    axis = panels(drawing.figure)["Moon"]
    for objective, name in (("full", "CT"), ("vanilla", "BL")):
        one, two = accuracies(objective, 1), accuracies(objective, 2)
        mean = [(a + b) / 2 for a, b in zip(one, two, strict=True)]
        assert curves(axis)[name] == pytest.approx(mean)
    band = axis.collections[-1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.6, 0.9))


def test_accuracy_that_does_not_change_does_not_look_as_if_it_did(collection):
    axis = panels(next(robust_accuracy(collection)).figure)["LS"]
    low, high = axis.get_ylim()
    assert high - low >= 0.1
    assert high < 1.01


def test_one_level_is_no_curve(tmp_path):
    metrics = attacked("moons-full-1", "fgsm_accuracy", {0.03: 0.5})
    rows = [cell("moons", "full", 1)]
    assert list(robust_accuracy(write_grid(tmp_path, rows, metrics=metrics))) == []
