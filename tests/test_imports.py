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
    ("cli", "__main__", "commands", "config"),
    ("illustrations",),
    ("grid",),
    ("run",),
    ("training", "evaluation", "results"),
    ("objectives",),
    ("generators",),
    ("counterfactuals",),
    ("data", "models", "energy"),
    ("errors", "tensors", "seeding", "stacking", "ranges"),
]
PEERS = [LAYERS[0], LAYERS[-1]]
"""Layers whose parts may import each other."""

SEES_SUMMARY = (*LAYERS[0], "illustrations")
"""Those who show what the summary draws; nothing below knows a picture's name."""

CONCRETE = [
    "data.synthetic",
    "data.images",
    "data.tabular",
    "models.mlp",
    "models.lenet",
    "models.vae",
    "models.linear",
    "generators",
    "evaluation.metrics",
]
"""Named by YAML and imported by nobody; packages stand for all they hold."""

SUMMARY_SEES = ("summary", "results", "errors", "__version__")
NO_TORCH = ("summary", "results", "errors")


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
    """All absolute names that a module imports, wherever in the file it does so."""
    names = []
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def own(module: str) -> Iterator[str]:
    """Modules of the package, or names of its root, that a module imports."""
    for name in imported(module):
        below = name.removeprefix(f"{PACKAGE}.")
        if below == name:
            continue
        while below not in MODULES and "." in below:
            below = below.rpartition(".")[0]
        yield below


def part(module: str) -> str:
    return module.partition(".")[0]


def level(module: str) -> int:
    """How far from the top; -1 for the root of the package, which all may see."""
    for number, layer in enumerate(LAYERS):
        if part(module) in layer:
            return number
    return -1


def edges() -> list[tuple[str, str]]:
    return [(module, below) for module in MODULES for below in own(module)]


def is_concrete(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in CONCRETE)


def test_the_package_is_read():
    assert len(MODULES) > 30
    assert ("objectives.objective", "objectives.terms") in edges()
    assert ("counterfactuals.search", "stacking") in edges()


def test_every_part_has_its_layer():
    known = {name for layer in LAYERS for name in layer} | {"", "summary"}
    assert {part(module) for module in MODULES} - known == set()


def test_imports_go_down_only():
    wrong = []
    for module, below in edges():
        if part(module) in ("summary", "") or part(below) == part(module):
            continue
        allowed = level(below) > level(module) or part(below) not in MODULES
        peers = any(part(module) in p and part(below) in p for p in PEERS)
        top = part(below) == "summary" and part(module) in SEES_SUMMARY
        if not (allowed or peers or top):
            wrong.append(f"{module} imports {below}")
    assert wrong == []


@pytest.mark.parametrize(("left", "right"), [("data", "models"), ("models", "data")])
def test_data_and_models_do_not_know_each_other(left, right):
    assert [e for e in edges() if part(e[0]) == left and part(e[1]) == right] == []


def test_the_summary_sees_results_and_errors_only():
    seen = {part(below) for module, below in edges() if part(module) == "summary"}
    assert seen - set(SUMMARY_SEES) == set()


@pytest.mark.parametrize("name", NO_TORCH)
def test_nothing_after_parquet_needs_torch(name):
    for module in MODULES:
        if part(module) == name:
            libraries = {part(other) for other in imported(module)}
            assert not libraries & {"torch", "jaxtyping", "safetensors"}, module


def test_concrete_parts_are_imported_by_nobody():
    wrong = [
        f"{module} imports {below}" for module, below in edges() if is_concrete(below)
    ]
    assert wrong == []


def test_there_are_no_cycles():
    state: dict[str, str] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert state.get(module) != "open", f"cycle: {' -> '.join((*path, module))}"
        if state.get(module) == "done":
            return
        state[module] = "open"
        for below in own(module):
            if below in MODULES and below != module:
                visit(below, (*path, module))
        state[module] = "done"

    for module in MODULES:
        visit(module, ())


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc"])
def test_every_module_has_a_name(word):
    assert [module for module in MODULES if word in module.split(".")] == []
