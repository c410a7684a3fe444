"""What a table was taken for, as people read it before it is trained on."""

from collections.abc import Iterator

import numpy as np
from tabulate import tabulate

from cftrain.data.tables.guessing.columns import GuessedColumn
from cftrain.data.tables.guessing.guess import GuessedTable

HEAD = ("column", "taken for", "values", "missing", "may move")
WIDEST = 40
UNEVEN = 0.4
"""Where the smallest class has less than this share of an equal one, it is told."""

RULES = {
    "drop_rows": "rows dropped",
    "own_level": "a level of its own",
    "median": "median and a flag",
    "refuse": "refused",
}
KINDS = {
    "categorical": "category",
    "grouped": "category",
    "ordered": "ordered category",
    "date": "date",
    "date_day_first": "date (day first)",
    "date_month_first": "date (month first)",
}


def told(guess: GuessedTable) -> str:
    """Returns a line for each column, and the lines about the whole."""
    mutability = guess.table.mutability
    rows = [
        [*_of_column(column), mutability.get(column.name, "freely")]
        for column in guess.used
    ]
    return "\n".join(
        [
            *of_file(guess),
            tabulate(rows, HEAD, tablefmt="simple", disable_numparse=True),
            *(
                f"left out: {column.name} ({column.reason})"
                for column in guess.columns
                if column.kind is None
            ),
            *(f"relation: {text}" for text in guess.table.relations),
            *notes(guess),
            of_split(guess),
        ]
    )


def of_file(guess: GuessedTable) -> Iterator[str]:
    """Yields how the file is written, and its label."""
    raw = guess.raw
    how = "Parquet"
    if raw.form is not None:
        form = raw.form
        how = (
            f"text in {form.encoding}, {form.delimiter!r} between cells, "
            f"{form.decimal!r} before decimals"
        )
        if form.thousands is not None:
            how += f", {form.thousands!r} between thousands"
    yield f"{raw.file.path}: {len(raw.frame)} rows, {how}"
    yield f"label {guess.labels.rule.column}: {_short(guess.labels.shown)}"
    if guess.table.weight is not None:
        yield f"weights of rows: {guess.table.weight}"


def shown_kind(column: GuessedColumn) -> str:
    """Returns what a column is taken for, in words."""
    if column.kind == "numeric":
        return column.reason or "numbers"
    return KINDS.get(str(column.kind), "left out")


def _of_column(column: GuessedColumn) -> list[str]:
    values = column.values
    if column.levels is not None:
        values = ", ".join(column.levels)
        if column.kind == "grouped":
            values = f"{column.reason}; {values}"
    missing = ""
    if column.rule is not None:
        missing = f"{column.missing:.1%}: {RULES[column.rule]}"
    return [column.name, shown_kind(column), _short(values), missing]


def notes(guess: GuessedTable) -> Iterator[str]:
    """Yields what should be known before training: lost rows, copies, rare classes."""
    if guess.dropped:
        yield f"{guess.dropped} rows dropped, which miss a value or the label"
    yield from _of_balance(guess)
    if guess.copies:
        yield (
            f"{guess.copies} rows are copies of others and are kept: a test row may be "
            "one of a training row"
        )


def of_split(guess: GuessedTable) -> str:
    """Returns the sizes of the parts."""
    test = guess.rows - guess.training_rows - guess.validation_rows
    return split_told(
        guess.training_rows, guess.validation_rows, test, guess.table.shuffle_seed
    )


def split_told(training: int, validation: int, test: int, seed: int) -> str:
    """Returns the sizes of parts that were drawn from all rows."""
    return (
        f"{training} training, {validation} validation and {test} test rows, with the "
        f"classes in equal shares, shuffled with seed {seed}"
    )


def _of_balance(guess: GuessedTable) -> Iterator[str]:
    counts = np.bincount(guess.labels.classes[guess.labels.classes >= 0])
    smallest = guess.labels.rule.names[int(counts.argmin())]
    if guess.table.balance:
        yield f"all classes cut at random to the size of the smallest, {smallest}"
    elif counts.min() * len(counts) < UNEVEN * counts.sum():
        yield (
            f"uneven classes: {counts.min() / counts.sum():.1%} of the rows are "
            f"{smallest}; data.balance=true cuts the others to as many"
        )


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."
