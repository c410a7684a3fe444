"""The command line and the configuration, as tests use them."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

import cftrain
from cftrain.cli import main
from cftrain.commands.command_line import lines, options
from cftrain.commands.command_line.options import Options
from cftrain.config import tree
from cftrain.training.run import Run

ROOT = Path(cftrain.__file__).parents[1]

TINY = (
    "schedule.epochs=2",
    "schedule.counterfactuals=16",
    "search.max_steps=4",
    "evaluation.rounds=2",
    "evaluation.individuals=6",
    "evaluation.energy_weights=[0.5,5.0]",
    "evaluation.search.max_steps=6",
    "evaluation.gallery=null",
    "evaluation.attributions=null",
)
"""Overrides that make any run last a moment."""

TINY_MOONS = (
    "data=moons",
    "data.training_rows=120",
    "data.validation_rows=30",
    "data.test_rows=60",
    "data.generated_rows=400",
    *TINY,
)


@dataclass(frozen=True)
class Outcome:
    """What a call of the program left behind."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The error message; fails unless it is all that was said, and no traceback."""
        assert self.code == 2, self
        assert self.out == "", self.out
        assert self.err.startswith("cftrain: "), self.err
        assert self.err.count("cftrain: ") == 1, self.err
        assert "Traceback" not in self.err, self.err
        return self.err.removeprefix("cftrain: ").rstrip("\n")


def compose(*overrides: str, root: str = "run") -> DictConfig:
    """The composed configuration, as Hydra hands it to a command.

    What was typed for an earlier command of this process is forgotten.
    """
    HydraConfig.instance().cfg = None
    with initialize_config_dir(str(tree.folder()), version_base="1.3"):
        return hydra_compose(root, lines.overrides("train", overrides))


def read(*overrides: str) -> tuple[Run, Options]:
    return options.read(compose(*overrides), Options)


def run_of(*overrides: str) -> Run:
    return read(*overrides)[0]


@contextmanager
def environment(changes: Mapping[str, str | None], cwd: Path | None) -> Iterator[None]:
    """Environment and folder for a while; the program may change them as it likes."""
    before = Path.cwd()
    with mock.patch.dict(os.environ), mock.patch.object(sys, "argv", ["cftrain"]):
        # Set by Hydra's caller in a former call of this process.
        os.environ.pop("HYDRA_FULL_ERROR", None)
        for name, value in changes.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        os.chdir(cwd or before)
        try:
            yield
        finally:
            os.chdir(before)


def call(*arguments: str, cwd: Path | None = None, **changes: str | None) -> Outcome:
    """Call `main` in this process; `changes` are for the environment (None: unset)."""
    out, err = io.StringIO(), io.StringIO()
    with environment(changes, cwd), redirect_stdout(out), redirect_stderr(err):
        code = main(list(arguments))
    return Outcome(code, out.getvalue(), err.getvalue())


def spawn(
    *arguments: str,
    launcher: tuple[str, ...] = (),
    cwd: Path,
    seconds: int = 120,
    **changes: str | None,
) -> Outcome:
    """Run `python -m cftrain` in a process of its own, for so many seconds at most."""
    with environment({"PYTHONPATH": str(ROOT), **changes}, cwd):
        done = subprocess.run(
            [*launcher, sys.executable, "-m", "cftrain", *arguments],
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    return Outcome(done.returncode, done.stdout, done.stderr)


@contextmanager
def in_time(seconds: int = 60) -> Iterator[None]:
    """Raises TimeoutError in what would wait for ever."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError(f"still waiting after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def files(folder: Path) -> dict[str, bytes]:
    """Contents of all files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
