"""The scoreboard of methods: who wins by which criterion."""

from dataclasses import dataclass
from typing import final

import pandas as pd

from cftrain.summary.methods.measured import (
    AS_PUBLISHED,
    PUBLISHED,
    at_setting,
    chosen,
    methods_of,
)
from cftrain.summary.methods.tables import by_dataset, lines_of
from cftrain.summary.methods.verdicts import Verdict, verdicts
from cftrain.summary.naming import OBJECTIVES, dataset_name, objective_name
from cftrain.summary.reading.reader import Reader
from cftrain.summary.tables.layout import Layout
from cftrain.summary.tables.table import EMPTY, Entry, Head, Row, Table

CRITERIA = {
    "accuracy": "accuracy",
    "validity": "validity",
    "ip": "IP",
    "ip_star": "IP*",
    "pgd": "PGD",
    "spread": "seeds",
    "cost": "cost",
}


@final
@dataclass(frozen=True, kw_only=True)
class Scoreboard(Layout):
    """Won, tied or lost by each criterion, for each method on each dataset."""

    name: str
    title: str
    caption: str
    grids: tuple[str, ...]
    budget: float

    def table(self, reader: Reader) -> Table:
        lines = lines_of(reader, self.grids)
        return Table(
            name=self.name,
            title=self.title,
            caption=self.caption,
            labels=("data", "method"),
            heads=(
                *(Head(key=k, group="", title=title) for k, title in CRITERIA.items()),
                Head(key="won", group="", title="won"),
            ),
            rows=by_dataset(lines, self._rows),
        )

    def _rows(self, lines: pd.DataFrame) -> list[Row]:
        data = lines["data"].iloc[0]
        free, held = lines[~lines["protected"]], lines[lines["protected"]]
        picked = [chosen(part, self.budget) for part in (free, held)]
        published = [at_setting(part, PUBLISHED, AS_PUBLISHED) for part in (free, held)]
        if picked[0].empty:
            return []
        found = {}
        for method in methods_of(picked[0], list(OBJECTIVES)):
            own = [_of(part, method) for part in picked]
            found[method] = verdicts(own[0], published[0], own[1], published[1])
        most = max(map(_won, found.values()))
        return [
            Row(
                labels=(dataset_name(data), objective_name(method)),
                names=(str(data), method),
                entries=(
                    *(_outcome(of_method[name]) for name in CRITERIA),
                    _total(of_method, best=_won(of_method) == most),
                ),
            )
            for method, of_method in found.items()
        ]


def _of(lines: pd.DataFrame, method: str) -> pd.DataFrame:
    return lines[lines["method"] == method] if len(lines) else lines


def _won(found: dict[str, Verdict | None]) -> int:
    return sum(each is not None and each.outcome == "won" for each in found.values())


def _outcome(found: Verdict | None) -> Entry:
    if found is None:
        return EMPTY
    return Entry(text=found.outcome, best=found.outcome == "won", trace=(found.told,))


def _total(found: dict[str, Verdict | None], *, best: bool) -> Entry:
    asked = sum(each is not None for each in found.values())
    return Entry(
        value=float(_won(found)), decimals=0, best=best, trace=(f"of {asked} criteria",)
    )
