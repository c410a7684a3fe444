"""What can be wrong with declarations of columns before any table is read."""

from collections.abc import Collection, Mapping, Sequence

from cftrain.data.columns import CATEGORIES, ColumnKind, WrittenLevel, listed
from cftrain.data.tables.cleaning import MissingRule
from cftrain.data.tables.origins import Origin


def origin_mistakes(
    origins: Mapping[str, Origin | None], columns: Collection[str]
) -> list[str]:
    """Returns what is wrong with where a table comes from, by the columns to read."""
    if not any(origins.values()):
        return ["data: expected one of prepared, raw and openml, got none"]
    return [
        f"data.{key}.label.column: expected a column that is no feature of "
        f"data.columns and not data.weight, got {origin.label.column!r}"
        for key, origin in origins.items()
        if origin is not None and origin.label_among(columns)
    ]


def column_mistakes(
    columns: Mapping[str, ColumnKind],
    *,
    weight: str | None,
    levels: Mapping[str, Sequence[WrittenLevel]],
    encoded: Mapping[str, Sequence[str]],
    missing: Mapping[str, MissingRule],
) -> list[str]:
    """Returns what is wrong, with the key of each mistake."""
    mistakes = []
    if not columns:
        mistakes.append("data.columns: expected at least one column, got none")
    if weight in columns:
        mistakes.append(
            "data.weight: expected a column that is no feature of data.columns, got "
            f"{weight!r}"
        )
    levelled = _of_kinds(columns, [*CATEGORIES, "ordered"])
    for field, names, held in (
        ("levels", levels, levelled),
        ("encoded", encoded, _of_kinds(columns, ["categorical"])),
    ):
        mistakes += [
            f"data.{field}.{name}: expected a categorical column of data.columns, one "
            f"of {listed(held)}, got {name!r}"
            for name in names
            if name not in held
        ]
    mistakes += [
        f"data.levels.{name}: expected the levels of a column that is "
        f"{columns[name]}, in their order, got none"
        for name in _of_kinds(columns, ["grouped", "ordered"])
        if name not in levels
    ]
    return [*mistakes, *_missing_mistakes(columns, missing)]


def _missing_mistakes(
    columns: Mapping[str, ColumnKind], missing: Mapping[str, MissingRule]
) -> list[str]:
    mistakes = []
    for name, rule in missing.items():
        where = f"data.missing.{name}: expected"
        if name not in columns:
            mistakes.append(f"{where} one of {listed(list(columns))}, got {name!r}")
        elif rule == "own_level" and columns[name] not in CATEGORIES:
            mistakes.append(
                f"{where} refuse, drop_rows or median for a {columns[name]} column, "
                f"got {rule!r}"
            )
        elif rule == "median" and columns[name] in CATEGORIES:
            mistakes.append(
                f"{where} refuse, drop_rows or own_level for a {columns[name]} "
                f"column, got {rule!r}"
            )
    return mistakes


def _of_kinds(
    columns: Mapping[str, ColumnKind], kinds: Collection[ColumnKind]
) -> list[str]:
    return [name for name, kind in columns.items() if kind in kinds]
