"""What is said of a table whose declaration is to be guessed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from cftrain.config.names import named
from cftrain.config.ranges import (
    AtLeast,
    Below,
    Between,
    Count,
    PositiveFloat,
    Seed,
    Share,
)
from cftrain.data.columns import WrittenLevel, level_text, listed
from cftrain.data.declarations import Bounds, Kind
from cftrain.data.order import stratified_order
from cftrain.data.relations.declared import read
from cftrain.data.tables.cleaning import MissingRule, undersampled
from cftrain.errors import ConfigError

GivenKind = Literal[
    "numeric",
    "categorical",
    "grouped",
    "ordered",
    "date",
    "date_day_first",
    "date_month_first",
    "leave_out",
]
OpenShare = Annotated[float, Between(0, 1)]
LeastRows = Annotated[int, AtLeast(2)]
TestShare = Annotated[float, AtLeast(0), Below(1)]


@named("table")
@dataclass(frozen=True, kw_only=True)
class Table:
    """A file, its label, and whatever shall not be guessed.

    This is no dataset: `cftrain.data.tables.guessing.declared` makes a declaration of
    it, which says everything, and that is what runs are made of and identified by.
    """

    name: str
    path: str
    label: str | None
    classes: tuple[WrittenLevel, ...] | None
    label_threshold: float | None
    weight: str | None
    encoding: str | None
    delimiter: str | None
    decimal: Literal[".", ","] | None
    missing_texts: tuple[str, ...]
    kinds: dict[str, GivenKind]
    levels: dict[str, tuple[WrittenLevel, ...]]
    missing: dict[str, MissingRule]
    leave_out: tuple[str, ...]
    immutable: tuple[str, ...]
    increase: tuple[str, ...]
    decrease: tuple[str, ...]
    relations: tuple[str, ...]
    broken_relations: Literal["refuse", "keep"]
    domain: dict[str, Bounds]
    domain_deviations: PositiveFloat | None
    standardise: bool
    root: str | None
    least_rows: LeastRows
    least_class_rows: Count
    test_share: TestShare
    validation_share: OpenShare
    shuffle_seed: Seed
    balance: bool
    most_levels: Count
    least_level_rows: Count
    drop_share: Share
    most_missing: Share
    most_memory: PositiveFloat

    def __post_init__(self) -> None:
        levels = {
            name: tuple(map(level_text, written))
            for name, written in self.levels.items()
        }
        object.__setattr__(self, "levels", levels)
        if self.classes is not None:
            object.__setattr__(self, "classes", tuple(map(level_text, self.classes)))
        if self.delimiter == "\\t":  # as shells and Hydra leave it
            object.__setattr__(self, "delimiter", "\t")
        _, mistakes = read(self.relations, key="data.relations")
        mistakes += _twice(self)
        if self.delimiter is not None and len(self.delimiter) != 1:
            mistakes.append(
                "data.delimiter: expected one sign, such as ';', or null, got "
                f"{self.delimiter!r}"
            )
        if self.classes is not None and self.label_threshold is not None:
            mistakes.append(
                "data.label_threshold: expected null where data.classes names the "
                f"classes, got {self.label_threshold:g}"
            )
        if self.most_levels < 2:
            mistakes.append(
                f"data.most_levels: expected at least 2, got {self.most_levels}"
            )
        if mistakes:
            raise ConfigError(mistakes)

    @property
    def pool_share(self) -> float:
        """Returns the share of rows for training and validation."""
        return round(1 - self.test_share, 6)

    def order(self, labels: np.ndarray) -> np.ndarray:
        """Returns the places of the rows that are used, in the order they are split."""
        make = undersampled if self.balance else stratified_order
        order: np.ndarray = make(labels, self.shuffle_seed)
        return order

    @property
    def mutability(self) -> dict[str, Kind]:
        """Returns the columns that may not move both ways."""
        kinds: dict[str, Kind] = {}
        for name in self.immutable:
            kinds[name] = "immutable"
        for name in self.increase:
            kinds[name] = "increase"
        for name in self.decrease:
            kinds[name] = "decrease"
        return kinds

    def unknown(self, columns: Sequence[str]) -> list[str]:
        """Returns what is said of columns that the table does not have."""
        said: dict[str, Iterable[str]] = {
            "kinds": self.kinds,
            "levels": self.levels,
            "missing": self.missing,
            "leave_out": self.leave_out,
            "weight": () if self.weight is None else (self.weight,),
            "domain": self.domain,
            "immutable": self.immutable,
            "increase": self.increase,
            "decrease": self.decrease,
            "relations": [
                name
                for relation in read(self.relations, key="data.relations")[0]
                for name in relation.columns
            ],
        }
        return [
            f"data.{key}: expected columns of {self.path} ({listed(columns)}), got "
            f"{name!r}"
            for key, names in said.items()
            for name in names
            if name not in columns
        ]


def _twice(table: Table) -> Iterator[str]:
    """Columns that two lists of mutability name."""
    lists = {
        "immutable": table.immutable,
        "increase": table.increase,
        "decrease": table.decrease,
    }
    seen: dict[str, str] = {}
    for key, names in lists.items():
        for name in names:
            if name in seen:
                yield (
                    f"data.{key}: expected columns that no other list names, got "
                    f"{name!r}, which data.{seen[name]} has"
                )
            seen[name] = key
