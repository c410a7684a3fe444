"""The tutorial as a reader follows it: what is to be typed, and what it shall print."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.md"

BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[<>+-]?\d[\d.]*")
VERDICT = re.compile(
    r"[▲▼]|no change|# (± # )?(points|% (higher|lower))$|\(only just\)"
)
SHORTENED = "..."

WRITING = ("python ", "cat >")
"""How commands begin that write tables."""


@dataclass(frozen=True)
class Step:
    """Something to type, and the lines that are shown below it."""

    typed: str
    shown: tuple[str, ...]


def steps() -> Iterator[Step]:
    """Yields what the tutorial asks to type, in its order."""
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh":
            yield Step(text, ())
            continue
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            typed, *shown = part.splitlines()
            yield Step(typed, tuple(shown))


def make_tables(here: Path) -> None:
    """Write the tutorial's CSV files, which need no cftrain."""
    follow((step for step in steps() if step.typed.startswith(WRITING)), here)


def follow(steps: Iterable[Step], here: Path) -> list[str]:
    """Type steps in a folder, each in a shell of its own; returns what each printed.

    Fails with a step that fails.
    """
    environment, printed = with_program(here), []
    for step in steps:
        done = subprocess.run(
            ["bash", "-e", "-c", step.typed],
            cwd=here,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        printed.append(done.stdout.decode())
        assert done.returncode == 0, f"{step.typed}\n{printed[-1]}"
    return printed


def with_program(here: Path) -> dict[str, str]:
    """The environment of a reader: this Python, and the `cftrain` of this checkout."""
    programs = here / ".programs"
    programs.mkdir(exist_ok=True)
    for name, words in (("python", ""), ("cftrain", "-m cftrain ")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n')
        program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name != "CFTRAIN_DATA"}
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


def not_printed(shown: Sequence[str], printed: str) -> list[str]:
    """Returns the lines that are shown and were not printed in this order.

    Numbers are those of a platform and of a version of torch: any will do.
    """
    left = iter([masked(line) for line in printed.splitlines()])
    wanted = [line for line in shown if line and SHORTENED not in line]
    return [line for line in wanted if masked(line) not in left]


def masked(line: str) -> str:
    """A line without its numbers, what is better, and spaces."""
    numberless = " ".join(NUMBER.sub("#", line).split())
    return " ".join(re.sub(r"-{2,}", "", VERDICT.sub("", numberless)).split())
