"""Lines of shell blocks run, page by page, made small; what is not run says why.

The tutorial is followed as it is printed by tests/test_tutorial.py.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cftrain.results.store import Store
from tests.console import TINY, TINY_MOONS, call, environment
from tests.test_docs import PAGES, SHELL, named, run_examples
from tests.tutorial import PAGE as TUTORIAL
from tests.tutorial import make_tables, not_printed

NOT_RUN = {
    r"^make |pre-commit|^\. \.venv": "installs, or takes hours; .ci/run has the rest",
    r"^(mpirun|sbatch)": "needs a cluster; tests/grid starts ranks of its own",
    r"^pip install": "installs; tests/test_plugin_template.py installs the template",
    r"^(tensorboard|mlflow) ": "a server, which does not end",
    r"logger=": "needs extras; tests/training/test_watching.py trains with each",
    r"\.\.\.|FOLDER|COMMAND": "abbreviated",
    r"nearest|spirals|elastic|other_package": "tests/test_plugin_template.py has these",
    r"hydra/sweeper": "needs the extra optuna, and minutes",
    r"mnist|adult|gmsc": "needs a table of others; tests/test_docs.py composes it",
    r"outputs/(methods|post_hoc)": "what a grid of hours has made",
    r"california|fine_tuning": "needs a table of others, and what it made",
    r"my_conf experiment": "needs a file of the reader",
}
"""Lines that are not run, with the reason."""

LARGE = re.compile(
    r"grid=(gen_params|penalties|tune|methods\w*|post_hoc|ablation|mutability)\b"
)
"""Grids of hundreds of models: they are planned, not trained."""

EVALUATION = [word for word in TINY if word.startswith("evaluation.")]
SIZES = [word for word in TINY_MOONS if word.startswith("data.")]
ROWS = re.compile(r"schedule.counterfactuals|_rows=")
"""Settings that need as many rows as there are."""


@dataclass(frozen=True)
class Line:
    """What is typed, and the lines that are shown below it."""

    typed: str
    shown: tuple[str, ...]

    @property
    def fails(self) -> bool:
        return any(line.startswith("cftrain: ") for line in self.shown)


def lines(page: Path) -> Iterator[Line]:
    """Yields what a page asks to type, without its remarks."""
    for block in SHELL.findall(page.read_text(encoding="utf-8")):
        text = block.replace("\\\n", " ")
        if not text.startswith("$ "):
            for typed in text.splitlines():
                yield Line(re.sub(r"\s{2,}#.*", "", typed), ())
            continue
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            typed, *shown = part.splitlines()
            yield Line(typed, tuple(shown))


def to_run(page: Path) -> list[Line]:
    every = (line for line in lines(page) if line.typed)
    return [line for line in every if not why_not(line.typed)]


def why_not(typed: str) -> str | None:
    """Returns why a line is not run, None if it is."""
    reasons = (why for what, why in NOT_RUN.items() if re.search(what, typed))
    return next(reasons, None)


def small(typed: str) -> list[str]:
    """Returns the words of a command, and those that make it last a moment."""
    name, *words = shlex.split(typed.removeprefix("cftrain "))
    given = {word.partition("=")[0] for word in words}
    if given & {"--help", "--cfg", "--info", "--dry-run"}:
        return [name, *words]
    if LARGE.search(typed):
        return [name, *words, "--dry-run"]
    more = {"train": [*TINY], "grid": [*TINY, "workers=1"], "evaluate": EVALUATION}
    added = more.get(name, [])
    moons = "data=moons" in words or not given & {"data", "--config-dir"}
    if name in ("train", "grid") and moons and not ROWS.search(typed):
        added = [*added, *SIZES]
    return [name, *words, *(word for word in added if word.split("=")[0] not in typed)]


PAGES_RUN = [page for page in PAGES if page != TUTORIAL and to_run(page)]

SETTING = (
    "train experiment=moons",
    "train -m data=moons seed=1,2",
    "train data=table data.path=loans.csv data.label=repaid",
    "grid data=moons 'grid.axes={search.max_steps: [2, 3]}' hydra.run.dir=outputs/tune",
    "grid grid=single 'grid.axes.experiment=[moons,linearly_separable]' name=paper",
)
"""What pages go on with that others have made."""


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A reader's folder: the tutorial's tables, and a few results."""
    here: Path = tmp_path_factory.mktemp("reader")
    make_tables(here)
    with environment({}, here):
        run_examples("your-own-images.md")
    for typed in SETTING:
        done = call(*small(typed), cwd=here)
        assert done.code == 0, f"{typed}\n{done.err}"
    return here


def run(line: Line, here: Path) -> str | None:
    """Returns what is wrong with a line, None if it does what the page says."""
    typed, _, file = line.typed.partition(" > ")
    if typed.startswith("mkdir -p "):
        (here / typed.split()[-1]).mkdir(parents=True, exist_ok=True)
        return None
    if not typed.startswith("cftrain "):
        return f"{typed}: expected cftrain, or a line of NOT_RUN"
    words = [known(word, typed, here) for word in small(typed)]
    if typed.startswith("cftrain export "):  # another page has made it
        shutil.rmtree(here / words[2], ignore_errors=True)
    done = call(*words, cwd=here)
    if file:
        (here / file).write_text(done.out)
    if done.code != (2 if line.fails else 0):
        return f"{typed}: {done.code}\n{done.err[-2000:]}"
    if line.fails and (absent := not_printed(line.shown, done.err)):
        return f"{typed}: not printed: {absent}"
    return None


def known(word: str, typed: str, here: Path) -> str:
    """A word with the id of a protocol that there is, in the folder that is named."""
    if word != "protocol=3fa0":
        return word
    folder = here / shlex.split(typed)[2]
    stores = [path.parent for path in folder.rglob("cells") if path.is_dir()]
    return f"protocol={next(iter(Store(stores[0]).protocols()))}"


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("page", PAGES_RUN, ids=named)
def test_the_lines_of_a_page_run(page, place):
    wrong = [told for line in to_run(page) if (told := run(line, place))]
    assert not wrong, "\n\n".join(wrong)


def test_every_reason_is_needed():
    typed = [line.typed for page in PAGES for line in lines(page)]
    for what in NOT_RUN:
        assert any(re.search(what, line) for line in typed), what
    assert len([line for page in PAGES_RUN for line in to_run(page)]) > 50
