"""What a table was taken for, as the values of a declaration that says everything."""

from typing import Any

from cftrain.config.identity import describe
from cftrain.data.tables.guessing.guess import GuessedTable
from cftrain.data.tables.labels import LabelRule

TABULAR = "cftrain.data.tables.tabular.Tabular"
FILE = "cftrain.data.tables.files.FileOrigin"
TEXT = "cftrain.data.tables.files.TextFormat"
RULES = {
    "by_value": "cftrain.data.tables.labels.ByValue",
    "by_threshold": "cftrain.data.tables.labels.ByThreshold",
}


def declaration(guess: GuessedTable) -> dict[str, Any]:
    """Returns plain values that `cftrain.config.build` makes a data set of."""
    table = guess.table
    used = {column.name for column in guess.used}
    return {
        "_target_": TABULAR,
        "name": table.name,
        "training_rows": guess.training_rows,
        "validation_rows": guess.validation_rows,
        "pool_share": guess.pool_share,
        "root": table.root,
        "prepared": None,
        "raw": _origin(guess),
        "openml": None,
        "columns": {column.name: column.kind for column in guess.used},
        "levels": {
            column.name: list(column.levels) for column in guess.used if column.levels
        },
        "encoded": {},
        "missing": {column.name: column.rule for column in guess.used if column.rule},
        "standardise": table.standardise,
        "domain_deviations": table.domain_deviations,
        "domain": {
            name: list(bounds) for name, bounds in table.domain.items() if name in used
        },
        "mutability": {
            name: kind for name, kind in table.mutability.items() if name in used
        },
        "weight": table.weight,
        "relations": list(table.relations),
        "broken_relations": table.broken_relations,
    }


def _origin(guess: GuessedTable) -> dict[str, Any]:
    raw = guess.raw
    text = None
    if raw.form is not None:
        text = {**describe(raw.form), "_target_": TEXT}
    return {
        "_target_": FILE,
        "path": str(raw.file.path.absolute()),
        "text": text,
        "most_memory": guess.table.most_memory,
        "rows": len(raw.frame),
        "names": {},
        "only": {},
        "label": _label(guess.labels.rule),
        "unlabelled": "drop_rows" if (guess.labels.classes < 0).any() else "refuse",
        "balance_seed": guess.table.shuffle_seed if guess.table.balance else None,
        "shuffle_seed": None if guess.table.balance else guess.table.shuffle_seed,
    }


def _label(rule: LabelRule) -> dict[str, Any]:
    described: dict[str, Any] = describe(rule)
    return {**described, "_target_": RULES[described["_target_"]]}
