"""`cftrain show FOLDER`: print what came of finished runs again."""

from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cftrain.commands.command_line.words import read_words
from cftrain.config.ranges import Count
from cftrain.summary.reading.collection import collect, collected
from cftrain.summary.reading.seeds import by_seed
from cftrain.summary.report import report_of_seeds

DEFAULTS = {"all": False, "most": 10}
EVERY = "--all"


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    """All measures, or the main ones; of how many models at most."""

    all: bool
    """Every measure, instead of the main ones."""
    most: Count
    """How many models are shown at most."""


def run(arguments: Sequence[str]) -> None:
    """Print a table for each model and its other seeds. Raises ResultError."""
    words = ["all=true" if word == EVERY else word for word in arguments]
    folder, options = read_words(words, ShowOptions, DEFAULTS)
    collection = collect(folder)
    groups = by_seed(collection)
    told = [
        report_of_seeds(collection, seeds, every=options.all)
        for seeds in groups[: options.most]
    ]
    print("\n\n".join(told))
    left = len(groups) - len(told)
    if left:
        print(f"\nand {left} other models: most={len(groups)} shows them as well")


def show_sweep(folders: Several[Path]) -> None:
    """Print the models of a sweep that differ in their seeds alone, over these seeds.

    Raises ResultError.
    """
    written = [folder for folder in folders if (folder / "cells").is_dir()]
    if not written:
        return
    collection = collected(set(written), written[0].parent)
    several = [seeds for seeds in by_seed(collection) if len(seeds.cells) > 1]
    for seeds in several:
        print(f"\n{report_of_seeds(collection, seeds, every=False)}")
