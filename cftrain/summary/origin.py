"""Where a report comes from: when it was made, of what, and by which programs."""

import pandas as pd

from cftrain.results.provenance import provenance
from cftrain.summary.reading.collection import Collection

SHORT = 12
"""Characters of a commit that are shown."""


def origin(collection: Collection, folder: str, command: str) -> list[tuple[str, str]]:
    """Returns what is said at the top of a report: names and texts."""
    now = provenance()
    cells, measured = collection.cells, collection.evaluations
    return [
        ("made", f"{now['created']:%Y-%m-%d %H:%M} UTC by {_program(now)}"),
        ("command", command),
        ("results", f"{folder}: {len(cells)} models, {len(measured)} evaluations"),
        ("trained", f"{_days(cells)} by {_programs(cells)}"),
        ("evaluated", f"{_days(measured)} by {_programs(measured)}"),
    ]


def _days(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "never"
    first, last = rows["created"].min(), rows["created"].max()
    days = dict.fromkeys(f"{day:%Y-%m-%d}" for day in (first, last))
    return " to ".join(days)


def _programs(rows: pd.DataFrame) -> str:
    columns = ["cftrain_version", "git_revision", "torch_version"]
    found = rows[columns].drop_duplicates().to_dict("records")
    return "; ".join(map(_program, found)) or "nobody"


def _program(row: dict[str, object]) -> str:
    revision = row["git_revision"]
    commit = f" (commit {_short(revision)})" if isinstance(revision, str) else ""
    return f"cftrain {row['cftrain_version']}{commit}, torch {row['torch_version']}"


def _short(revision: str) -> str:
    """A commit's beginning, with the mark of changed files if it has one."""
    return revision[:SHORT] + ("+" if revision.endswith("+") else "")
