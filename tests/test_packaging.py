"""A plain install is small, and the two files of versions say what they should."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import cftrain

ROOT = Path(__file__).parents[1]
PACKAGE = Path(cftrain.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = {
    "charset-normalizer": "charset_normalizer",
    "hydra-core": "hydra",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
"""Distributions whose module has another name."""

TOOLS = ("all", "dev", "docs")
APART = {"tensorboard", "mlflow", "wandb", "optuna"}
"""Extras that are large and that a checkout does without: they are not in `all`."""

GATES = {"api/scikit.py": {"sklearn"}}
"""Modules that need an extra, and say so themselves where it is missing."""


def requirements(*groups: str) -> list[Requirement]:
    """Of a plain install, or of some extras."""
    lists = [PROJECT["optional-dependencies"][group] for group in groups]
    texts = [text for group in lists for text in group]
    return [Requirement(text) for text in texts or PROJECT["dependencies"]]


def extras() -> list[str]:
    """The extras of people who use the package."""
    return [name for name in PROJECT["optional-dependencies"] if name not in TOOLS]


def pins(name: str) -> dict[str, Version]:
    lines = (ROOT / name).read_text().splitlines()
    kept = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        canonicalize_name(kept.name): Version(str(kept.specifier).removeprefix("=="))
        for kept in kept
    }


def modules(needed: list[Requirement]) -> set[str]:
    return {MODULES.get(one.name, one.name) for one in needed}


def imports(tree: ast.AST) -> Iterator[str]:
    """The packages that are imported, or whose files are looked for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("find_spec"):
            (wanted,) = node.args
            yield from [wanted.value] if isinstance(wanted, ast.Constant) else []
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


def imported_at_once(path: Path) -> set[str]:
    """What importing a module imports: nothing inside of a function."""
    tree = ast.parse(path.read_text())
    inside = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        for _, held in ast.iter_fields(node):
            if isinstance(held, list):
                held[:] = [part for part in held if not isinstance(part, inside)]
    return set(imports(tree))


def test_a_plain_install_imports_everything():
    ours = {*sys.stdlib_module_names, "cftrain"}
    for path in PACKAGE.rglob("*.py"):
        foreign = imported_at_once(path) - ours
        extra = GATES.get(str(path.relative_to(PACKAGE)), set())
        assert foreign <= modules(requirements()) | extra, path


def test_whatever_is_imported_is_a_dependency_and_the_other_way_round():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        found |= set(imports(ast.parse(path.read_text())))
    named = modules(requirements()) | modules(requirements(*extras()))
    started = {"mpich", "tensorboard", "hydra-optuna-sweeper"}  # others import them
    assert found - {*sys.stdlib_module_names, "cftrain"} == named - started


def test_all_are_all_extras():
    (everything,) = requirements("all")
    assert everything.name == "cftrain"
    assert everything.extras == set(extras()) - APART


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-lowest.txt"])
def test_pinned_versions_are_supported_ones(name):
    pinned = pins(name)
    for needed in [*requirements(), *requirements(*extras(), "dev")]:
        assert pinned[canonicalize_name(needed.name)] in needed.specifier, needed


def test_the_lowest_versions_are_pinned():
    pinned = pins("constraints-lowest.txt")
    for needed in [*requirements(), *requirements(*extras())]:
        (lowest,) = [s.version for s in needed.specifier if s.operator == ">="]
        found = pinned[canonicalize_name(needed.name)]
        assert found.release[: len(Version(lowest).release)] == Version(lowest).release
