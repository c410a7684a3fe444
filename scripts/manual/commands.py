"""Commands as Markdown: the keys of each that belong to no group of options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cftrain.commands import best, export, show, transfer, verify
from cftrain.commands.command_line.options import Options
from cftrain.commands.evaluate import EvaluateOptions
from cftrain.commands.explain_options import ExplainOptions
from cftrain.commands.figure import FigureOptions
from cftrain.commands.grid import GridOptions
from cftrain.commands.tables import TablesOptions
from cftrain.config import tree
from cftrain.training.run import Run
from scripts.manual.entries import entries
from scripts.manual.keys import Key, keys_of_command

COMPOSED: dict[str, tuple[str, tuple[type, ...]]] = {
    "train": ("run", (Run, Options)),
    "grid": ("grid", (GridOptions,)),
    "evaluate": ("evaluate", (EvaluateOptions,)),
    "explain": ("explain", (ExplainOptions,)),
    "tables": ("tables", (TablesOptions,)),
    "figure": ("figure", (FigureOptions,)),
}
"""Commands with a file of configuration, and the classes that its keys belong to."""

PLAIN: dict[str, tuple[type, Mapping[str, Any]]] = {
    "best": (best.BestOptions, best.DEFAULTS),
    "export": (export.ExportOptions, export.DEFAULTS),
    "show": (show.ShowOptions, show.DEFAULTS),
    "transfer": (transfer.TransferOptions, transfer.DEFAULTS),
    "verify": (verify.VerifyOptions, verify.DEFAULTS),
}
"""Commands whose words are read without one."""


def command(name: str) -> str:
    """Returns the keys of a command as a definition list."""
    return entries(keys(name), "", place=f"{name}.")


def keys(name: str) -> list[Key]:
    """Returns the keys of a command that belong to no group."""
    if name in PLAIN:
        cls, defaults = PLAIN[name]
        return keys_of_command(Path(name), [cls], defaults)
    file, classes = COMPOSED[name]
    path = tree.folder() / f"{file}.yaml"
    values = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    own = {key: value for key, value in values.items() if not isinstance(value, dict)}
    return keys_of_command(path, classes, own)
