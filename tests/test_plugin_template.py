"""The template of a plug-in is installed and used as docs/extending.md says."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cftrain
from tests.console import ROOT, TINY_MOONS, call

TEMPLATE = ROOT / "examples" / "plugin"
PAGE = (ROOT / "docs" / "extending.md").read_text()
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PACKAGE = "my_package"


@pytest.fixture(scope="session")
def installed(tmp_path_factory) -> Path:
    """A folder that the template is installed in, as `pip` does it."""
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(TEMPLATE, source)
    site = tmp_path_factory.mktemp("site")
    offline = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *offline, "--target", site, source],
        check=True,
        cwd=source,
    )
    return site


def forget() -> None:
    """As if the package had never been imported."""
    for name in list(sys.modules):
        if name.partition(".")[0] == PACKAGE:
            del sys.modules[name]


@pytest.fixture
def used(registry, installed, monkeypatch) -> Iterator[Path]:
    """The same, where Python finds it for the time of a test."""
    monkeypatch.syspath_prepend(installed)
    yield installed
    forget()


@pytest.fixture
def copied(registry, tmp_path, monkeypatch) -> Iterator[Path]:
    """A folder with the package alone, which no installer knows of."""
    shutil.copytree(TEMPLATE / PACKAGE, tmp_path / "site" / PACKAGE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield tmp_path / "site"
    forget()


def told_commands() -> list[tuple[str, str]]:
    """The commands of the page that need the template, each with its first answer."""
    found = []
    for language, block in FENCED.findall(PAGE):
        lines = block.splitlines()
        if language != "console" or not re.search("elastic|nearest|spirals", block):
            continue
        for line, answer in zip(lines, [*lines[1:], ""], strict=True):
            if line.startswith("$ cftrain "):
                found.append((line.removeprefix("$ cftrain "), answer))
    return found


def test_the_page_shows_the_files_of_the_template():
    blocks = [text for language, text in FENCED.findall(PAGE) if language != "console"]
    project = (TEMPLATE / "pyproject.toml").read_text()
    shown = set()
    for path in sorted((TEMPLATE / PACKAGE).rglob("*.*")):
        text = path.read_text() if path.suffix in (".py", ".yaml") else ""
        if any(len(block) > 60 and text.endswith(block) for block in blocks):
            shown.add(path.stem + path.suffix)
    assert {"elastic.py", "elastic.yaml", "nearest.py", "nearest.yaml"} <= shown
    assert {"spirals.py", "spirals.yaml"} <= shown
    assert any(block in project for block in blocks if "entry-points" in block)


@pytest.mark.usefixtures("used")
def test_the_commands_of_the_page_run_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = told_commands()
    assert len(commands) > 5
    for line, answer in commands:
        small = () if line.startswith("tables") else TINY_MOONS[1:]
        outcome = call(*shlex.split(line), *(() if "=-1" in line else small))
        if answer.startswith("cftrain: "):
            assert outcome.message == answer.removeprefix("cftrain: ")
            continue
        assert outcome.code == 0, outcome
        if answer != "...":
            name = answer.partition(" (")[0]
            assert outcome.out.startswith(f"{name} (generated, 120 training"), line
        if line.startswith("tables"):
            assert "Distance to the nearest observed row" in outcome.out
            assert re.search(r"spirals +\| +[\d.]+ → [\d.]+", outcome.out)
    check_without_it(tmp_path / "outputs" / "spirals", monkeypatch)


def check_without_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are read without the plug-in, models are not built."""
    monkeypatch.setattr(sys, "path", [p for p in sys.path if "site0" not in p])
    forget()
    assert call("show", str(folder)).code == 0
    assert call("tables", str(folder), "table=main").code == 0
    said = call("evaluate", str(folder), "evaluation.rounds=3").message
    assert "got 'my_package:" in said
    assert "(my_package is no plug-in in use: install it as one, or say" in said
    said = call("explain", str(folder)).message
    assert "my_package is no plug-in in use" in said


@pytest.mark.slow
def test_its_own_tests_pass(installed, tmp_path):
    tests = tmp_path / "tests"
    shutil.copytree(TEMPLATE / "tests", tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{installed}:{ROOT}"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


@pytest.mark.usefixtures("copied")
def test_a_package_that_is_not_installed_is_named(tmp_path):
    words = [*TINY_MOONS, "generator=elastic", "compare=none"]
    with pytest.raises(cftrain.ConfigError, match="elastic"):
        cftrain.train(words, folder=tmp_path / "run")
    assert PACKAGE not in sys.modules
    run = cftrain.train([f"--plugins={PACKAGE}", *words], folder=tmp_path / "run")
    assert run.results.metrics.generator.unique().tolist() == ["elastic"]
    # What it left is no reason to import it.
    forget()
    said = call("evaluate", str(tmp_path / "run"), "evaluation.rounds=3").message
    assert "got 'my_package:elastic'" in said
    assert PACKAGE not in sys.modules


@pytest.mark.slow
@pytest.mark.usefixtures("copied")
def test_processes_of_a_grid_know_it(tmp_path):
    outcome = call(
        *("grid", "--plugins", PACKAGE, *TINY_MOONS, "+metric=nearest"),
        *("grid=single", "grid.axes={generator: [elastic, ecco]}", "workers=2"),
        *("compare=none", f"hydra.run.dir={tmp_path / 'grid'}"),
    )
    assert outcome.code == 0, outcome
    found = cftrain.read_results(tmp_path / "grid").metrics
    assert set(found.generator) == {"elastic", "ecco"}
    assert set(found.query("metric == 'nearest'").unit) == {"L1"}


@pytest.mark.usefixtures("copied")
def test_an_error_of_its_own_is_reported_as_such(tmp_path, copied):
    path = copied / PACKAGE / "spirals.py"
    broken = "    def identity(self) -> str:\n        return [][0]\n"
    path.write_text(f"{path.read_text()}\n{broken}")
    outcome = call(
        *("train", "--plugins", PACKAGE, "data=spirals", *TINY_MOONS[1:]),
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    assert outcome.code == 1
    assert "cftrain: an error of plug-in my_package, IndexError: list" in outcome.err
