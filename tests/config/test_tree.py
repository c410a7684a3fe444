from pathlib import Path

import pytest

from cftrain.config.tree import (
    LONGEST,
    folder,
    groups,
    options,
    refuse_shadowing,
    subfolder,
)
from cftrain.errors import ConfigError
from tests.console import call

MINE = "# @package data\n_target_: cftrain.data.synthetic.Moons\n"


@pytest.fixture
def extra(tmp_path) -> Path:
    """A folder of options of one's own, with a data set and a new group."""
    for path in ("data/mine.yaml", "colour/red.yaml"):
        (tmp_path / path).parent.mkdir(parents=True)
        text = (folder() / "data" / "moons.yaml").read_text()
        (tmp_path / path).write_text(text.replace("name: moons", "name: mine"))
    return tmp_path


def test_options_are_files_and_groups_are_folders(extra):
    assert "moons" in options("data")
    assert set(options("data", [extra])) == {*options("data"), "mine"}
    assert {"data", "experiment", "table"} <= groups()
    assert options("colour") == []


def test_a_name_of_its_own_is_fine(extra):
    refuse_shadowing([extra])
    outcome = call("train", "--config-dir", str(extra), "data=mine", "--cfg", "job")
    assert (outcome.code, outcome.err) == (0, "")
    assert "name: mine\n" in outcome.out


@pytest.mark.parametrize("option", ["--config-dir={}", "-cd {}"])
@pytest.mark.parametrize("command", ["train", "grid", "tables", "data list"])
def test_an_option_that_hides_a_packaged_one_is_one_message(extra, command, option):
    ours, theirs = folder() / "data" / "moons.yaml", extra / "data" / "moons.yaml"
    theirs.write_text(MINE)
    words = f"{command} {option.format(extra)}".split()
    message = call(*words).message
    assert message == f"{theirs}: expected a name that no packaged option has, got " + (
        f"that of {ours}"
    )


def test_every_hidden_option_is_told(extra):
    for path in ("data/moons.yaml", "run.yaml"):
        (extra / path).write_text(MINE)
    with pytest.raises(ConfigError) as refused:
        refuse_shadowing([extra])
    assert len(refused.value.mistakes) == 2


def test_the_list_of_data_sees_other_folders(extra):
    outcome = call("data", "list", "--config-dir", str(extra), CFTRAIN_DATA=None)
    assert outcome.code == 0, outcome.err
    rows = {line.split()[0]: line.split() for line in outcome.out.splitlines()}
    assert rows["mine"][1:7] == rows["moons"][1:7]


@pytest.mark.parametrize(
    "overrides", ["seed=1", "data=moons,objective.ridge_weight=0.1", "+a.b=c@d"]
)
def test_a_simple_job_has_its_overrides_as_its_name(overrides):
    assert subfolder(overrides) == overrides


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a=x/y", "a=x-y"),
        ("a='b'", "a=b"),
        ("x" * 999 + "1", "x" * 999 + "2"),
        ("", "/"),
    ],
)
def test_jobs_never_share_a_folder(left, right):
    names = [subfolder(left), subfolder(right)]
    assert names[0] != names[1]
    for name in names:
        assert "/" not in name
        assert 0 < len(name) <= LONGEST + 17


def test_two_sweeps_with_other_settings_do_not_mix(tmp_path):
    def swept(*words: str) -> set[str]:
        arguments = ["-m", f"hydra.sweep.dir={tmp_path}", "seed=-1,-2", *words]
        assert call("train", *arguments).code == 2  # a negative seed does no work
        return {path.name for path in tmp_path.iterdir() if path.is_dir()}

    first = swept("schedule.epochs=2")
    assert first == {"schedule.epochs=2,seed=-1", "schedule.epochs=2,seed=-2"}
    # Repeated, also with what changes no result, it is the same sweep ...
    assert swept("schedule.epochs=2", "overwrite=true", "name=other") == first
    # ... and with another setting it is another one.
    assert len(swept("schedule.epochs=3")) == 4


def test_a_sweep_goes_through_experiments_with_or_without_a_plus(tmp_path):
    words = [f"hydra.sweep.dir={tmp_path}", "seed=-1", "+experiment=moons,circles"]
    assert call("train", "-m", *words).code == 2
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders == {"experiment=moons,seed=-1", "experiment=circles,seed=-1"}
