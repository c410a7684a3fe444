"""A command composes once what Hydra by itself would compose twice."""

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from omegaconf import OmegaConf

from cftrain.commands.command_line.composing import composed
from cftrain.config import once, trust
from tests.console import TINY_MOONS

INNER = ConfigLoaderImpl._load_configuration_impl


@pytest.fixture
def compositions(monkeypatch) -> list[int]:
    """One entry for each composition of Hydra's."""
    made: list[int] = []

    def counted(self, *args, **kwargs):
        made.append(1)
        return INNER(self, *args, **kwargs)

    monkeypatch.setattr(ConfigLoaderImpl, "_load_configuration_impl", counted)
    return made


def seen(root: str, *words: str) -> list[object]:
    """All that tasks see of their configurations, Hydra's own part too."""
    found: list[object] = []

    def task(config) -> None:
        from hydra.core.hydra_config import HydraConfig

        hydra = OmegaConf.to_container(HydraConfig.instance().cfg)
        found.append((OmegaConf.to_container(config), hydra))

    composed(root, words, task)
    return found


@pytest.mark.parametrize(
    "words",
    [("hydra.mode=RUN",), ("experiment=moons", "seed=3", "hydra.job.chdir=false")],
)
def test_a_run_is_composed_once_and_is_the_same(
    words, compositions, monkeypatch, tmp_path
):
    words = ("hydra.run.dir=" + str(tmp_path), *words)
    own = seen("run", *words)
    assert len(own) == len(compositions) == 1
    monkeypatch.setattr(trust, "ComposedOnce", type("Never", (), {}))
    assert seen("run", *words) == own
    assert len(compositions) == 3


def test_a_sweep_is_the_same(compositions, monkeypatch, tmp_path):
    words = (f"hydra.sweep.dir={tmp_path}", "--multirun", "data=moons", "seed=1,2")
    own = seen("run", *words)
    assert len(own) == 2
    count = len(compositions)
    compositions.clear()
    monkeypatch.setattr(trust, "ComposedOnce", type("Never", (), {}))
    assert seen("run", *words) == own
    assert len(compositions) == count + 1


def test_a_sweep_may_lack_an_option_that_it_chooses(tmp_path):
    (tmp_path / "mine.yaml").write_text("defaults: [run, override data: '???']")
    words = (f"--config-dir={tmp_path}", "--config-name=mine", "seed=1")
    sweep = (f"hydra.sweep.dir={tmp_path}", "hydra.mode=MULTIRUN")
    assert len(seen("run", *words, *sweep, "data=moons,circles")) == 2
    with pytest.raises(Exception, match=once.MISSING):
        seen("run", *words)


def test_words_of_a_sweep_are_no_words_of_a_run(compositions):
    with pytest.raises(Exception, match="To sweep"):
        seen("run", "seed=1,2")


def test_a_file_is_read_once_until_it_changes(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("# @package _global_\nseed: 1")
    source = FileConfigSource("here", str(tmp_path))
    read = once.ReadOnce(source)
    first = read("some")
    assert first.config == source.load_config("some").config == {"seed": 1}
    assert first.header == {"package": "_global_"}
    first.config.seed = 2
    again = read("some.yaml")
    assert again.config == {"seed": 1}
    path.write_text("seed: 33")
    assert read("some").config == {"seed": 33}
    path.unlink()
    with pytest.raises(Exception, match="not found"):
        read("some")


def test_files_of_ours_are_read_once(monkeypatch, tmp_path):
    words = (f"hydra.run.dir={tmp_path}", *TINY_MOONS)
    own = seen("run", *words)
    monkeypatch.setattr(FileConfigSource, "load_config", None)
    assert seen("run", *words) == own
