"""What is typed after a command, as the overrides that Hydra understands.

Nothing heavy is imported: the command line reads it before a command is loaded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from cftrain.errors import ConfigError

PICTURES = {"constraints": "credit", "protection": "credit", "boundary": "moons"}
"""Pictures with the experiments that they show unless told otherwise."""

WITH_FOLDER = ("evaluate", "explain", "tables")
"""Commands on finished results, whose first word is their folder."""

CHOSEN = "evaluation="
"""How a word begins that chooses a whole protocol."""

FILES = ("rows", "output")
"""Keys of `cftrain explain` that name files."""


@dataclass(frozen=True)
class OwnData:
    """What has to be said of files of the user's, with an example, and the options that
    go with them.
    """

    said: dict[str, str]
    options: dict[str, str]


OWN = {
    "table": OwnData(
        said={"data.path": "loans.csv", "data.label": "repaid"},
        options={"schedule": "table", "evaluation": "table"},
    ),
    "images": OwnData(
        said={"data.path": "digits"},
        options={"schedule": "table", "evaluation": "own_images"},
    ),
}
"""Options of `data` that are no data sets yet."""

WITHIN_BUDGET = {"objective": "aligned", "budget": "one_point"}
"""How a model of a table is trained where nobody has said how: as strongly as its
accuracy and validity allow, which only the table itself can tell.
"""

OWN_STRENGTH = ("objective", "objective.strength")
"""Keys with which somebody has said it."""

NAMES = ("target", "groups")
"""Its keys that name what is in a file: a class, a column."""

EXPLAIN = "--explain"
CONFIG_DIR = ("--config-dir", "-cd")


def overrides(command: str, words: Sequence[str]) -> list[str]:
    """Returns the overrides that the words of a command stand for.

    Raises ConfigError for words that stand for none.
    """
    if nameless := [word for word in words if word.startswith("=")]:
        raise ConfigError(f"expected overrides key=value, got {nameless[0]!r}")
    given = [_plain(word) for word in words]
    if command in WITH_FOLDER and given and is_folder(given[0]):
        given[0] = f"folder={quoted(given[0])}"
    if command == "evaluate" and not any(word.startswith(CHOSEN) for word in given):
        given = [_of_stored(word) for word in given]
    if command == "explain":
        return [_literal(word) for word in given]
    if command in ("train", "grid"):
        return _sized(given, keeps_one=command == "train")
    if command == "tables" and EXPLAIN in given:
        return _explained(given)
    if command == "figure":
        return _pictured(given)
    return given


def is_folder(word: str) -> bool:
    """Whether a word stands for a folder, and is no option and no key with a value."""
    if word[:1] in ("-", "+") or not word:
        return False
    named = word.startswith(("/", "./", "../")) or Path(word).is_dir()
    return named or ("=" not in word and word[:1] != "~")


def extra_folders(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Returns the folders that `--config-dir` adds, and the other words."""
    found, others = [], []
    left = iter(words)
    for word in left:
        option, equals, value = word.partition("=")
        if option in CONFIG_DIR:
            found.append(Path(value if equals else next(left, "")))
        else:
            others.append(word)
    return found, others


def quoted(text: str) -> str:
    """Returns any text as one value of Hydra's grammar, whatever signs are in it."""
    # A backslash counts only before a quote, which the end of the text is followed by.
    escaped = re.sub(r"(\\*)('|$)", lambda end: 2 * end[1] + end[2], text)
    escaped = escaped.replace("'", "\\'").replace("${", "\\${")
    return f"'{escaped}'"


def _plain(word: str) -> str:
    """A word without what is written out of habit or for us alone."""
    if word == "--dry-run":
        return "dry_run=true"
    # The group is in the list of defaults, so that nothing is added to it.
    return word.removeprefix("+") if word.startswith("+experiment=") else word


def _sized(words: list[str], *, keeps_one: bool) -> list[str]:
    """With settings that follow from the data, where files are to be looked at and
    nobody chose others: a budget for the one model of a table that a command keeps.
    """
    name = next((name for name in OWN if f"data={name}" in words), None)
    if name is None or any(word.startswith("experiment=") for word in words):
        return words
    chosen = {word.partition("=")[0] for word in words}
    absent = [key for key in OWN[name].said if key not in chosen]
    if absent and not any(word.startswith("-") for word in words):
        said = " ".join(f"{key}={value}" for key, value in OWN[name].said.items())
        raise ConfigError(
            f"{absent[0]}: expected a value, as in data={name} {said}, got none"
        )
    options = OWN[name].options
    if keeps_one and name == "table" and chosen.isdisjoint(OWN_STRENGTH):
        options = {**options, **WITHIN_BUDGET}
    usual = [f"{key}={value}" for key, value in options.items() if key not in chosen]
    return [*usual, *words]


def _of_stored(word: str) -> str:
    """A value of an evaluation, which a stored protocol may have and the composed one
    may not: Hydra takes it anyway, and it is judged in the stored one's place.
    """
    return f"++{word}" if word.startswith("evaluation.") else word


def _literal(word: str) -> str:
    """The name of a file, a class or a column as typed, whatever signs are in it."""
    key, equals, value = word.partition("=")
    # Plain words stay: as a class, true is another one than the text 'true'.
    odd = key in NAMES and not value.isalnum()
    literal = (key in FILES or odd) and value[:1] not in ("'", '"') and value != "null"
    return f"{key}{equals}{quoted(value)}" if literal else word


def _explained(words: list[str]) -> list[str]:
    """`--explain main LS ip` as overrides. Raises ConfigError."""
    place = words.index(EXPLAIN)
    before, after = words[:place], words[place + 1 :]
    named = list(takewhile(lambda word: "=" not in word, after))
    if len(named) < 3:
        raise ConfigError(
            f"{EXPLAIN}: expected a table, a row and a column, as in {EXPLAIN} main LS "
            f"ip, got {' '.join(named) or 'nothing'}"
        )
    table, *entry = named
    listed = ",".join(quoted(word) for word in entry)
    return [*before, f"table={table}", f"explain=[{listed}]", *after[len(named) :]]


def _pictured(words: list[str]) -> list[str]:
    """A picture's name as an override, with the experiment that it shows.

    Raises ConfigError.
    """
    experiment = "credit"
    if words and words[0] in PICTURES:
        experiment = PICTURES[words[0]]
        words[0] = f"picture={words[0]}"
    elif words and "=" not in words[0] and words[0][:1] not in ("-", "~"):
        raise ConfigError(
            f"figure: expected one of {', '.join(PICTURES)}, got {words[0]!r}"
        )
    if any(word.startswith("experiment=") for word in words):
        return words
    return [f"experiment={experiment}", "name=figures", *words]
