"""A declaration as YAML that people go on with: a comment for every column."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cftrain.config.tree import literal
from cftrain.data.tables.guessing.columns import GuessedColumn
from cftrain.data.tables.guessing.declared import declaration
from cftrain.data.tables.guessing.guess import GuessedTable
from cftrain.data.tables.guessing.told import notes, of_file, of_split, shown_kind

PLAIN = re.compile(r"[A-Za-z_][\w-]*")
WORDS = ("yes", "no", "on", "off", "true", "false", "null", "none", "nan", "y", "n")
"""Plain words that YAML reads as something else."""

BASE = "file"
"""The option of the group `declaration` that has all other values."""


def draft(guess: GuessedTable) -> str:
    """Returns the YAML file of a data set that is what the table was taken for."""
    return "\n".join(_lines(guess)) + "\n"


def _lines(guess: GuessedTable) -> Iterator[str]:
    values = literal(declaration(guess))
    name = guess.table.name
    yield from (f"# {_line(line)}" for line in of_file(guess))
    yield f"# {of_split(guess)}"
    yield from (f"# {_line(note)}" for note in notes(guess))
    yield "#"
    yield f"# In a folder my_conf/data, as {name}.yaml:"
    yield (
        "# cftrain train --config-dir my_conf data="
        + name
        + (" schedule=table evaluation=table")
    )
    yield "defaults:"
    yield f"  - /declaration@_here_: {BASE}  # has all keys that are not here"
    yield "  - _self_"
    yield f"name: {scalar(name)}"
    yield f"training_rows: {values['training_rows']}"
    yield f"validation_rows: {values['validation_rows']}"
    yield f"pool_share: {values['pool_share']}"
    yield "raw:"
    yield from _mapping(_origin(values["raw"]), "  ")
    yield ""
    yield "# The model's inputs, in this order: numeric, categorical, grouped (the last"
    yield "# level is all others), ordered (levels have an order), date, date_day_first"
    yield "# or date_month_first."
    yield "columns:"
    for column in guess.columns:
        yield from _column(column)
    yield ""
    yield "# Order of the levels of each category."
    yield from _section("levels", values["levels"])
    yield "# Where values are missing: drop_rows, own_level (categories) or median."
    yield from _section("missing", values["missing"])
    yield "# The column that says how much rows count, which is no input; null: alike."
    yield f"weight: {_value(values['weight'])}"
    yield from _constraints(guess, values)


def _constraints(guess: GuessedTable, values: Mapping[str, Any]) -> Iterator[str]:
    yield "# Bounds in raw units that are known, as age: [18, 100] or debt: [0, null]."
    yield from _section("domain", values["domain"])
    yield "# free, immutable, increase or decrease; a category is free or immutable."
    mutability = {
        column.name: values["mutability"].get(column.name, "free")
        for column in guess.used
    }
    yield from _section("mutability", mutability)
    yield "# What holds between numbers or dates in every answer, in raw units:"
    yield '# ["months_employed <= months_lived", "a + 2*b <= 10"].'
    yield f"relations: {_value(values['relations'])}"
    if values["relations"]:
        yield f"broken_relations: {values['broken_relations']}"


def _origin(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What the base does not say of the file."""
    own = (
        "path",
        "text",
        "rows",
        "label",
        "unlabelled",
        "balance_seed",
        "shuffle_seed",
    )
    text = raw["text"]
    if text is not None:
        text = {key: value for key, value in text.items() if key != "_target_"}
    return {**{key: raw[key] for key in own}, "text": text}


def _column(column: GuessedColumn) -> Iterator[str]:
    if column.kind is None:
        yield f"  # left out: {_line(scalar(column.name))}, {_line(column.reason)}"
        return
    missing = f"; {column.missing:.1%} missing" if column.missing else ""
    levels = f", {len(column.levels)} levels" if column.levels else ""
    yield f"  # {_line(shown_kind(column))}{levels}: {_line(column.values)}{missing}"
    yield f"  {scalar(column.name)}: {column.kind}"


def _section(key: str, values: Mapping[str, Any]) -> Iterator[str]:
    if not values:
        yield f"{key}: {{}}"
        return
    yield f"{key}:"
    yield from _mapping(values, "  ")


def _mapping(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{scalar(key)}:"
            yield from _mapping(value, f"{indent}  ")
        else:
            yield f"{indent}{scalar(key)}: {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)


def scalar(text: str) -> str:
    """Returns a text as YAML, quoted unless it is a plain word."""
    if PLAIN.fullmatch(text) and text.lower() not in WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def _line(text: str) -> str:
    """Text of a comment, which must not end early."""
    return " ".join(text.split())
