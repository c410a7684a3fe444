import pytest
import torch

from cftrain.config.build import build_object
from cftrain.config.identity import describe
from cftrain.data.dataset import DatasetSpec, check_identity
from cftrain.data.order import order_warning
from cftrain.data.sampling import training_rows
from cftrain.seeding import Stream
from cftrain.training.run import rebuild
from tests.console import run_of
from tests.contracts.configured import names, run_with, values

DATA = [name for name in names("data") if "path" not in values("data", name)]
"""All but the option for a file of the user's, which tests/data/tables have."""

GENERATED = [name for name in DATA if "root" not in values("data", name)]
READ = [name for name in DATA if name not in GENERATED]


def check(name: str) -> None:
    spec = run_with("data", name).data
    dataset = spec.load()
    check_identity(dataset, spec.identity())
    assert order_warning(dataset, batch_rows=30) is None
    assert spec.name == dataset.name == name
    assert spec.source() == dataset.source
    rows = spec.training_rows + spec.validation_rows
    assert dataset.features.shape == (rows, dataset.feature_count)
    assert len(dataset.test_features) > 0
    for part in (dataset.features, dataset.test_features):
        assert part.dtype == torch.float32
        assert torch.isfinite(part).all()
    for labels in (dataset.labels, dataset.test_labels):
        assert labels.unique().tolist() == list(range(dataset.classes))
    assert len(set(dataset.feature_names)) == dataset.feature_count
    if dataset.image_shape:
        assert dataset.image_shape[0] * dataset.image_shape[1] == dataset.feature_count

    limits = dataset.constraints
    assert limits.lower.shape == limits.upper.shape == (dataset.feature_count,)
    assert (limits.lower < limits.upper).all()
    pool = dataset.features.unsqueeze(0)
    assert not limits.violations(pool, pool).any(), "the pool lies in its own domain"

    split = training_rows(dataset, [Stream(1), Stream(2)])
    assert len(split) >= spec.training_rows
    assert len(split) + split.validation.shape[1] == rows

    restored = build_object(describe(spec), DatasetSpec, "data")
    assert restored == spec
    again = restored.load()
    assert again.identity == dataset.identity
    for part in ("features", "labels", "test_features", "test_labels"):
        assert torch.equal(getattr(again, part), getattr(dataset, part))


@pytest.mark.parametrize("name", DATA)
def test_a_stored_run_finds_its_data_where_they_are_today(name, tmp_path, monkeypatch):
    """Places are no part of what is stored: neither of a set nor of its origins."""
    stored = describe(run_with("data", name))
    assert not ({"root", "network_timeout_seconds"} & set(stored["data"]))
    assert str(tmp_path) not in repr(stored)
    monkeypatch.setenv("CFTRAIN_DATA", str(tmp_path))
    restored = rebuild(stored)
    assert describe(restored) == stored
    assert getattr(restored.data, "root", str(tmp_path)) == str(tmp_path)
    monkeypatch.delenv("CFTRAIN_DATA")
    assert getattr(rebuild(stored).data, "root", None) is None


def test_places_on_the_command_line_are_not_stored(tmp_path, monkeypatch):
    monkeypatch.delenv("CFTRAIN_DATA", raising=False)
    here = run_of("data=mnist", "schedule.batch_rows=30")
    there = run_of(
        "data=mnist",
        "schedule.batch_rows=30",
        f"data.root={tmp_path}",
        "data.network_timeout_seconds=60",
    )
    assert there != here
    assert describe(there) == describe(here)
    assert rebuild(describe(there)) == here


@pytest.mark.parametrize("name", GENERATED)
def test_generated_datasets_can_be_drawn_anew_for_every_seed(name):
    tied = "data.draw_seed=${seed}"
    small = ("schedule.batch_rows=30", "schedule.counterfactuals=30")
    first = run_of(f"data={name}", *small, tied, "seed=1").data
    second = run_of(f"data={name}", *small, "seed=2", tied).data
    assert (first.draw_seed, second.draw_seed) == (1, 2)
    assert not torch.equal(first.load().features, second.load().features)
    fixed = [run_of(f"data={name}", *small, f"seed={seed}").data for seed in (1, 2)]
    assert fixed[0] == fixed[1]


def test_there_are_datasets():
    assert "moons" in GENERATED
    assert "mnist" in READ


@pytest.mark.parametrize("name", GENERATED)
def test_generated_datasets(name):
    check(name)


@pytest.mark.data
@pytest.mark.parametrize("name", READ)
def test_datasets_that_are_read(name, data_root):
    check(name)
