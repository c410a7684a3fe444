"""Only who is at the keyboard puts packages in use; what they bring has to be fit."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cftrain.config import names
from cftrain.config.build import build_object
from cftrain.config.identity import describe
from cftrain.config.names import class_called, named
from cftrain.config.plugins import plugins, plugins_named, without_plugins
from cftrain.config.tree import options, refuse_shadowing
from cftrain.errors import ConfigError
from cftrain.evaluation.metric import Metric
from tests.console import call, files

METRIC = '''
from dataclasses import dataclass
from typing import ClassVar
from cftrain.config.names import named
from cftrain.config.ranges import PositiveFloat
from cftrain.evaluation.metric import CounterfactualMetric

@named("{package}:far")
@dataclass(frozen=True, kw_only=True)
class Far(CounterfactualMetric):
    """How far, in some unit."""

    unit: ClassVar[str] = "steps"
    higher_is_better: ClassVar[bool] = False

    step: PositiveFloat

    def __call__(self, individuals, reference):
        move = individuals.found.counterfactual - individuals.found.factual
        return move.abs().sum(-1).double() / self.step
'''


@dataclass(frozen=True)
class Site:
    """A folder of packages that Python finds."""

    folder: Path

    def package(self, name: str, **modules: str) -> Path:
        """Writes a package with a metric, and whatever modules are given."""
        place = self.folder / name
        place.mkdir()
        texts = {"__init__": "", "metrics": METRIC, **modules}
        for module, text in texts.items():
            (place / f"{module}.py").write_text(text.replace("{package}", name))
        return place

    def distribution(self, name: str, *entries: str) -> None:
        """Writes what an installer leaves of a distribution with these entry points."""
        place = self.folder / f"{name}-1.0.dist-info"
        place.mkdir()
        (place / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        listed = "\n".join(entries)
        (place / "entry_points.txt").write_text(f"[cftrain.plugins]\n{listed}\n")


@pytest.fixture
def site(registry, tmp_path, monkeypatch) -> Site:
    """An empty one, whose packages are forgotten after the test."""
    before = set(sys.modules)
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def far(target: str) -> Metric:
    return build_object({"_target_": target, "step": 0.5}, Metric, "metric")


def test_a_package_that_is_named_is_in_use_for_as_long_as_said(site):
    site.package("my_package")
    assert class_called("my_package.metrics.Far") is None
    assert class_called("my_package:far") is None
    assert "my_package" not in sys.modules
    with plugins_named(["my_package"]):
        built = far("my_package.metrics.Far")
        assert describe(built) == {"_target_": "my_package:far", "step": 0.5}
        assert far("my_package:far") == built
    # It is imported by now, and still no part of a configuration.
    assert class_called("my_package.metrics.Far") is None
    assert class_called("my_package:far") is None


def test_an_installed_package_is_in_use_and_imported_when_it_is_needed(site):
    site.package("my_package")
    site.distribution("my-distribution", "my_package = my_package")
    assert plugins()["my_package"].origin == "distribution my-distribution"
    assert "my_package" not in sys.modules
    assert far("my_package:far").step == 0.5


def test_a_registered_name_is_found_in_packages_within_the_package(site):
    site.package("my_package", metrics="")
    inner = site.folder / "my_package" / "inner"
    inner.mkdir()
    (inner / "__init__.py").write_text("")
    (inner / "deep.py").write_text(METRIC.format(package="my_package"))
    with plugins_named(["my_package"]):
        assert far("my_package:far").step == 0.5
        assert class_called("my_package:nosuch") is None


@pytest.mark.parametrize(
    "target",
    [
        "my_package.metrics.CounterfactualMetrics",
        "my_package._private.Far",
        "my_package.__main__.Far",
        "my_package.nosuch.Far",
        "my_package",
        "my_package:",
        "my_package:far:far",
        "other_package:far",
        "other_package.metrics.Far",
        "my_package_too.metrics.Far",
    ],
)
def test_nothing_else_is_imported(site, target):
    trap = "raise SystemExit('imported')"
    site.package("my_package", _private=trap, __main__=trap)
    site.package("other_package", __init__=trap)
    site.package("my_package_too", __init__=trap)
    with plugins_named(["my_package"]):
        assert class_called(target) is None
        with pytest.raises(ConfigError, match="metric: expected a node whose _target_"):
            far(target)


BAD_CLASSES = {
    "mutable": (
        METRIC.replace("frozen=True, ", "").replace(
            "(CounterfactualMetric)", "(Unfrozen)"
        )
        + "\n",
        "a frozen dataclass",
    ),
    "no dataclass": (
        METRIC.replace("@dataclass(frozen=True, kw_only=True)\n", ""),
        "a frozen dataclass",
    ),
    "abstract": (
        METRIC.replace("def __call__", "def called"),
        "a class that defines __call__",
    ),
    "without a name": (
        METRIC.replace('@named("{package}:far")\n', ""),
        "a registered name: @named('my_package:...')",
    ),
    "annotations": (
        METRIC.replace("step: PositiveFloat", "step: 'Nosuch'"),
        "annotations that can be read, got NameError",
    ),
    "a function": ("def Far():\n    pass\n", "a class, got a function"),
    "raises": (
        METRIC.replace(
            "    def __call__",
            "    def __post_init__(self):\n        raise KeyError('no')\n\n"
            "    def __call__",
        ),
        "metric: my_package:far raised KeyError",
    ),
    "another kind": (
        METRIC.replace("(CounterfactualMetric)", ""),
        "metric: expected a node whose _target_ is a Metric of cftrain, got "
        "'my_package.metrics.Far'",
    ),
    "a name without its package": (
        METRIC.replace("{package}:far", "far"),
        "expected a name that begins with its package, such as 'my_package:far'",
    ),
    "a name of another package": (
        METRIC.replace("{package}:far", "other:far"),
        "expected a name that begins with its package, such as 'my_package:far'",
    ),
    "a name of another class": (
        METRIC + METRIC.replace("class Far", "class Farther"),
        "my_package.metrics.Farther: expected a name that no other class has",
    ),
    "an import that fails": (
        "import nosuch_dependency",
        "expected a module that can be imported, got ModuleNotFoundError: "
        "No module named 'nosuch_dependency'",
    ),
    "an import that raises": (
        "raise ValueError('no licence')",
        "plug-in my_package.metrics: expected a module that can be imported, got "
        "ValueError: no licence",
    ),
    "an import that leaves": (
        "raise SystemExit(3)",
        "expected a module that can be imported, got SystemExit: 3",
    ),
}


@pytest.mark.parametrize("case", BAD_CLASSES)
def test_a_class_that_is_not_fit_is_told(site, case):
    text, said = BAD_CLASSES[case]
    unfrozen = (
        "@dataclass\nclass Unfrozen(CounterfactualMetric):\n    pass\n\n"
        if case == "mutable"
        else ""
    )
    text = text.replace('@named("{package}:far")', unfrozen + '@named("{package}:far")')
    site.package("my_package", metrics=text)
    with plugins_named(["my_package"]), pytest.raises(ConfigError) as raised:
        far("my_package.metrics.Far")
    assert said in str(raised.value)


def test_one_module_that_fails_does_not_hide_the_names_of_others(site):
    site.package("my_package", broken="import nosuch_dependency")
    with plugins_named(["my_package"]):
        assert far("my_package:far").step == 0.5
        with pytest.raises(ConfigError, match="nosuch_dependency"):
            class_called("my_package:other")


NO_PLUGINS: dict[str, tuple[Callable[[Site], object], str, str]] = {
    "that is not there": (
        lambda site: None,
        "nosuch_package",
        "--plugins: expected a package that can be imported, got 'nosuch_package'",
    ),
    "in one that is not there": (
        lambda site: None,
        "nosuch_package.inner",
        "--plugins: expected a package that can be imported",
    ),
    "that raises": (
        lambda site: site.package("broken", __init__="1 / 0"),
        "broken",
        "plug-in broken: expected a module that can be imported, got "
        "ZeroDivisionError: division by zero",
    ),
    "by its path": (
        lambda site: None,
        "./my_package",
        "--plugins: expected the name of a package as it is imported, such as "
        "my_package, got './my_package'",
    ),
    "without a name": (lambda site: None, "", "--plugins: expected the name of"),
    "of our own": (
        lambda site: None,
        "cftrain.data",
        "--plugins: expected a package from elsewhere, got 'cftrain.data'",
    ),
    "that two distributions bring": (
        lambda site: [
            site.package("my_package"),
            site.distribution("one", "my_package = my_package"),
            site.distribution("two", "my_package = my_package"),
        ],
        "my_package",
        "plug-in my_package: expected one installed distribution that brings it, got "
        "one and two; uninstall all but one",
    ),
    "that is called otherwise": (
        lambda site: [
            site.package("my_package"),
            site.distribution("one", "nearest = my_package"),
        ],
        "my_package",
        "distribution one: expected an entry point of cftrain.plugins that is called "
        "as the package it names, got nearest = 'my_package'",
    ),
    "that is installed and not there": (
        lambda site: [
            site.package("my_package"),
            site.distribution("one", "gone = gone"),
        ],
        "my_package",
        "distribution one: expected a package that can be imported, got 'gone'",
    ),
}


@pytest.mark.parametrize("case", NO_PLUGINS)
def test_a_package_that_cannot_be_used_is_told(site, case, capsys):
    make, name, said = NO_PLUGINS[case]
    make(site)
    with pytest.raises(ConfigError) as raised, plugins_named([name]):
        pass
    assert said in str(raised.value)
    assert said in call("train", f"--plugins={name}", "--cfg", "job").message


def test_names_are_taken_from_a_command_line():
    words = ["--plugins", "a,b", "seed=1", "--plugins=c.d"]
    assert without_plugins(words) == (["seed=1"], ("a", "b", "c.d"))
    assert without_plugins(["seed=1", "--plugins"]) == (["seed=1"], ("",))


def test_a_foreign_name_begins_with_its_package():
    made = type("Thing", (), {"__module__": "my_package.inner.things"})
    for name in ("my_package:thing", "my_package.inner:thing"):
        assert named(name)(type("Thing", (), dict(vars(made)))).registered_name == name
        names._CLASSES.pop(name)
    for name in ("thing", "inner:thing", "my_package:a b", "my_package:", "other:x"):
        with pytest.raises(ConfigError, match="begins with its package"):
            named(name)(made)


def test_options_of_a_plugin_are_found_and_trusted(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = site.package("my_package") / "conf" / "experiment"
    place.mkdir(parents=True)
    (place / "theirs.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /data: circles\n"
        "hydra: {run: {dir: elsewhere}}\nname: theirs\n"
    )
    assert "theirs" not in options("experiment")
    with plugins_named(["my_package"]):
        assert "theirs" in options("experiment")
    words = ("+experiment=theirs", "--cfg", "hydra", "--package", "hydra.run")
    found = call("train", "--plugins", "my_package", *words)
    assert (found.code, "dir: elsewhere" in found.out) == (0, True), found.err
    assert "expected one of" in call("train", *words).err


def test_options_that_are_there_already_are_refused(site):
    for package, option in {
        "one": "data/mine",
        "two": "data/mine",
        "three": "data/moons",
    }.items():
        path = site.package(package) / "conf" / f"{option}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text("")
    with plugins_named(["one"]):
        refuse_shadowing()
    with (
        plugins_named(["one", "two"]),
        pytest.raises(ConfigError, match=r"two/conf/data/mine\.yaml: expected a"),
    ):
        refuse_shadowing()
    said = call("train", "--plugins=three", "--cfg", "job").message
    assert "three/conf/data/moons.yaml: expected a name that no packaged option" in said


def test_a_file_puts_no_package_in_use(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trap = f"import os\nos.mkdir({str(tmp_path / 'marker')!r})\n"
    site.package("evil_package", __init__=trap)
    sent = tmp_path / "sent" / "experiment"
    sent.mkdir(parents=True)
    for text in (
        "model: {_target_: evil_package.metrics.Far}",
        "model: {_target_: 'evil_package:far'}",
        "plugins: [evil_package]",
        "model: {_target_: evil_package.metrics.Far, plugins: evil_package}",
    ):
        (sent / "evil.yaml").write_text(f"# @package _global_\n{text}\n")
        outcome = call("train", "--config-dir", "sent", "+experiment=evil")
        assert "expected" in outcome.message
        assert not (tmp_path / "marker").exists()
        assert "evil_package" not in sys.modules
    assert not files(tmp_path / "outputs")
