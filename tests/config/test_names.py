"""Registered names outlive every move and every new name of a class."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import is_dataclass, make_dataclass

import pytest
import yaml

import cftrain
from cftrain.config.identity import describe
from cftrain.config.names import PACKAGES, class_called, name_of, named
from cftrain.config.tree import folder
from cftrain.generators.ecco import Ecco
from cftrain.grid.cells import cell
from cftrain.training.run import rebuild
from tests.console import ROOT, run_of


def targets(node: object) -> Iterator[str]:
    """Every class that a tree of plain values names."""
    if isinstance(node, dict):
        if isinstance(node.get("_target_"), str):
            yield node["_target_"]
        for part in node.values():
            yield from targets(part)
    elif isinstance(node, list):
        for part in node:
            yield from targets(part)


def moved(cls: type, module: str, name: str) -> type:
    """The same class as if its source had moved: another module, another name."""
    content = {
        key: value
        for key, value in vars(cls).items()
        if key not in ("__dict__", "__weakref__", "registered_name")
    }
    made = types.new_class(
        name, cls.__bases__, exec_body=lambda space: space.update(content)
    )
    made.__module__, made.__qualname__ = module, name
    return made


def test_a_class_that_moved_and_has_a_new_name_reads_old_results(registry):
    before = run_of()
    stored = json.dumps(describe(before))
    identity = cell(before, "generated").id
    del registry["ecco"]
    other = moved(Ecco, "cftrain.generators.elsewhere", "ConformalCounterfactuals")
    assert named("ecco")(other) is other
    again = rebuild(json.loads(stored))
    assert type(again.generator) is other
    assert type(again.generator).__module__ == "cftrain.generators.elsewhere"
    assert json.dumps(describe(again)) == stored
    assert cell(again, "generated").id == identity


def test_a_name_that_another_class_has_is_refused(registry):
    other = moved(Ecco, "plugin.generators", "Ecco")
    with pytest.raises(
        ValueError, match=r"plugin\.generators\.Ecco: .*'ecco', which is"
    ):
        named("ecco")(other)
    assert class_called("ecco") is Ecco
    assert named("ecco")(Ecco) is Ecco


def test_a_name_that_is_gone_is_an_error_that_says_which(registry):
    stored = describe(run_of())
    del registry["ecco"]
    with pytest.raises(ValueError, match=r"generator: expected .*, got 'ecco'"):
        rebuild(stored)


def test_a_class_without_a_name_of_its_own_cannot_be_stored():
    inherited = make_dataclass("Child", [], bases=(Ecco,), frozen=True, kw_only=True)
    with pytest.raises(LookupError, match="no registered name"):
        name_of(inherited)


def configured_targets() -> set[str]:
    """What files of the packaged tree name of the parts of runs and protocols."""
    paths = folder().rglob("*.yaml")
    found = {t for path in paths for t in targets(yaml.safe_load(path.read_text()))}
    return {t for t in found if t.startswith(tuple(f"cftrain.{p}." for p in PACKAGES))}


def test_every_configured_class_of_a_run_or_a_protocol_has_its_name():
    for target in configured_targets():
        cls = class_called(target)
        assert cls is not None, target
        assert class_called(name_of(cls)) is cls
    assert len(configured_targets()) > 25


def test_no_description_holds_the_path_of_a_module():
    for overrides in ((), ("+experiment=adult",), ("+experiment=mnist",)):
        described = describe(run_of(*overrides))
        assert all("." not in target for target in targets(described))


def test_no_two_classes_register_the_same_name():
    owners: dict[str, set[str]] = {}
    for package in PACKAGES:
        root = importlib.import_module(f"cftrain.{package}")
        for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            for value in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(value) and "registered_name" in vars(value):
                    path = f"{value.__module__}.{value.__qualname__}"
                    owners.setdefault(name_of(value), set()).add(path)
    assert {name: paths for name, paths in owners.items() if len(paths) > 1} == {}
    assert len(owners) > 25


def test_names_are_found_where_nothing_was_imported():
    """Who reads old results cannot know where a class lives today."""
    code = (
        "from cftrain.config.names import class_called\n"
        "assert class_called('latent_space').__name__ == 'LatentSpace'\n"
        "assert class_called('nosuch') is None\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    "target",
    ["os.system", "builtins.eval", "cftrain.cli.main", "cftrain.nosuch.Thing", "", "."],
)
def test_nothing_else_is_found(target):
    assert class_called(target) is None


def test_what_a_name_gives_can_be_built():
    """Abstract classes and functions are no parts of a configuration."""
    abstract = "cftrain.data.generated.Generated"
    assert class_called(abstract) is None
    found = class_called("moons")
    assert is_dataclass(found)
    assert found.__module__.startswith(f"{cftrain.__name__}.")
