"""Files and functions stay small, and what results may hold has a lasting name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import cftrain
from cftrain.config.names import class_called, name_of
from cftrain.config.tree import folder

PACKAGE = Path(cftrain.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = [path for path in FILES if path.stem not in ("__init__", "__main__")]
LOOSE = {"cli", "errors", "tensors", "seeding", "stacking", "cores"}

FILE_LINES, FUNCTION_LINES, FOLDER_MODULES = 250, 45, 15

PARTS = (
    "categories",
    "compare",
    "data",
    "evaluation",
    "generator",
    "maturity",
    "model",
    "objective",
    "schedule",
    "search",
)
"""Groups of options whose objects become part of a run or of a protocol."""


def here(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def code_lines(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How long a function is; what tells people of one of `cftrain.api` is its page in
    the documentation, and no code.
    """
    lines = (node.end_lineno or 0) - node.lineno + 1
    told = node.body[0]
    if path.parent.name == "api" and ast.get_docstring(node) is not None:
        lines -= (told.end_lineno or 0) - told.lineno + 1
    return lines


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_package_is_read():
    assert len(MODULES) > 100
    assert "search" in {path.stem for path in MODULES}


def test_files_are_short():
    lengths = {here(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: n for name, n in lengths.items() if n > FILE_LINES} == {}


def test_functions_fit_on_a_screen():
    lengths = {
        f"{here(path)}: {node.name}": code_lines(path, node)
        for path in FILES
        for node in functions(path)
    }
    assert {name: n for name, n in lengths.items() if n > FUNCTION_LINES} == {}


def test_folders_hold_few_modules():
    counts: dict[str, int] = {}
    for path in MODULES:
        counts[here(path.parent)] = counts.get(here(path.parent), 0) + 1
    assert {name: n for name, n in counts.items() if n > FOLDER_MODULES} == {}


def test_few_modules_are_in_no_folder():
    assert {path.stem for path in MODULES if path.parent == PACKAGE} <= LOOSE


@pytest.mark.parametrize("path", MODULES, ids=here)
def test_a_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def targets(node: object) -> Iterator[str]:
    """The classes that a file of options names, at any depth."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"]
        for value in node.values():
            yield from targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from targets(value)


def named_parts() -> set[str]:
    files = [path for group in PARTS for path in (folder() / group).glob("*.yaml")]
    files += [folder() / "run.yaml", *(folder() / "experiment").glob("*.yaml")]
    return {
        target for path in files for target in targets(yaml.safe_load(path.read_text()))
    }


def test_what_shapes_a_result_has_a_registered_name():
    found = named_parts()
    assert len(found) > 30
    names = {}
    for target in sorted(found):
        cls = class_called(target)
        assert cls is not None, f"{target}: no such class"
        names[name_of(cls)] = cls
        assert class_called(name_of(cls)) is cls
    assert len(names) == len({class_called(target) for target in found})


def test_no_name_is_given_twice():
    given: dict[str, str] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            for name in registrations(node):
                where = f"{here(path)}: {getattr(node, 'name', '')}"
                assert name not in given, f"{name}: {given[name]} and {where}"
                given[name] = where
    assert len(given) > 30


def registrations(node: ast.AST) -> Iterator[str]:
    """The names that `@named` gives a class."""
    for mark in node.decorator_list if isinstance(node, ast.ClassDef) else ():
        if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "named":
            yield ast.literal_eval(mark.args[0])
