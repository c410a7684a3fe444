"""Imports go down only (style guide, section 2). Nothing is imported here: the source
is read.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "cftrain"

LAYERS = [  # from the top; parts of one layer do not know each other but for PEERS
    ("cli", "__main__", "api", "testing"),
    ("commands",),
    ("bundle",),
    ("advice", "budget", "grid", "illustrations"),
    ("training", "evaluation", "summary"),
    ("objectives",),
    ("generators",),
    ("counterfactuals",),
    ("data", "models"),
    ("config", "results"),
    ("errors", "tensors", "seeding", "stacking", "cores"),
]
PEERS = [LAYERS[0], LAYERS[-1]]
"""Layers whose parts may import each other."""

CONCRETE = [
    "data.synthetic",
    "data.images",
    "data.pictures.image_set",
    "data.tables.tabular",
    "models.mlp",
    "models.lenet",
    "models.vae",
    "models.linear",
    "generators",
    "evaluation.metrics",
]
"""Named by YAML and imported by nobody; packages stand for all they hold."""

SUMMARY_SEES = ("summary", "results", "config", "errors", "")
NO_TORCH = ("summary", "results", "config", "errors")
TORCH_ALL_THE_SAME = ("results.weights",)
"""Weights are tensors; what reads tables does not read them."""


def modules() -> dict[str, Path]:
    """Every module by its name below the package; the package's own is ''."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = path
    return found


MODULES = modules()


@cache
def imported(module: str) -> tuple[str, ...]:
    """The modules that a module imports, wherever in the file it does so."""
    names = []
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            whole = str(node.module)
            parts = [f"{whole}.{alias.name}" for alias in node.names]
            names += [name if below(name) in MODULES else whole for name in parts]
    return tuple(names)


def below(name: str) -> str | None:
    """The name below the package, None for other packages."""
    if name == PACKAGE:
        return ""
    return name.removeprefix(f"{PACKAGE}.") if name.startswith(f"{PACKAGE}.") else None


def own(module: str) -> Iterator[str]:
    """Modules of the package that a module imports, whether they are there or not."""
    for name in imported(module):
        found = below(name)
        if found is not None:
            yield found


def part(module: str) -> str:
    return module.partition(".")[0]


def level(module: str) -> int:
    """How far from the top; -1 for what has no place."""
    for number, layer in enumerate(LAYERS):
        if part(module) in layer:
            return number
    return -1


def edges() -> list[tuple[str, str]]:
    return [(module, other) for module in MODULES for other in own(module)]


def is_concrete(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in CONCRETE)


def test_the_package_is_read():
    assert len(MODULES) > 30
    assert ("objectives.objective", "objectives.terms") in edges()
    assert ("counterfactuals.search", "stacking") in edges()


def test_every_part_has_its_layer():
    known = {name for layer in LAYERS for name in layer} | {""}
    assert {part(module) for module in MODULES} - known == set()


def test_every_imported_module_exists():
    assert {f"{a} imports {b}" for a, b in edges() if b not in MODULES} == set()


def test_imports_go_down_only():
    wrong = []
    for module, other in edges():
        if part(module) == part(other) or other == "":
            continue
        down = level(other) > level(module)
        peers = any(part(module) in p and part(other) in p for p in PEERS)
        if not (down or peers):
            wrong.append(f"{module} imports {other}")
    assert wrong == []


@pytest.mark.parametrize(("left", "right"), [("data", "models"), ("models", "data")])
def test_data_and_models_do_not_know_each_other(left, right):
    assert [e for e in edges() if part(e[0]) == left and part(e[1]) == right] == []


@pytest.mark.parametrize("module", TORCH_ALL_THE_SAME)
def test_what_needs_torch_is_not_imported_by_what_does_not(module):
    users = {part(user) for user, other in edges() if other == module}
    assert not users & set(NO_TORCH)


def test_the_summary_sees_results_and_errors_only():
    seen = {part(other) for module, other in edges() if part(module) == "summary"}
    assert seen - set(SUMMARY_SEES) == set()


@pytest.mark.parametrize("name", NO_TORCH)
def test_nothing_after_parquet_needs_torch(name):
    for module in MODULES:
        if part(module) == name and module not in TORCH_ALL_THE_SAME:
            libraries = {part(other) for other in imported(module)}
            assert not libraries & {"torch", "jaxtyping", "safetensors"}, module


def test_concrete_parts_are_imported_by_nobody():
    """But for the autoencoder, which is no classifier and has one user."""
    found = {(module, other) for module, other in edges() if is_concrete(other)}
    assert found - {("generators.latent", "models.vae")} == set()


def test_there_are_no_cycles():
    state: dict[str, str] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert state.get(module) != "open", f"cycle: {' -> '.join((*path, module))}"
        if state.get(module) == "done":
            return
        state[module] = "open"
        for other in own(module):
            # The package itself names what it leads to and is read before all of it.
            if other in MODULES and other != "":
                visit(other, (*path, module))
        state[module] = "done"

    for module in MODULES:
        visit(module, ())


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc"])
def test_every_module_has_a_name(word):
    assert [module for module in MODULES if word in module.split(".")] == []
