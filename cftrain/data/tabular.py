"""Tables of raw columns: a new one is a YAML file that gives these values."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch

from cftrain.data import sources
from cftrain.data.columns import MISSING, ColumnKind, listed
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.data.declarations import Bounds, Kind, declared_constraints
from cftrain.data.encoding import fit_codec
from cftrain.data.origins import OpenmlOrigin, Origin, ParquetOrigin
from cftrain.errors import ConfigError, DataError
from cftrain.ranges import INCIDENTAL, Between, Count, PositiveFloat

MissingRule = Literal["refuse", "drop_rows", "own_level"]


@dataclass(frozen=True, kw_only=True)
class Table(DatasetSpec):
    """Numeric columns, standardised by the pool, and categorical ones, one-hot.

    The first `pool_share` of the rows fit the codec and the domain, and the first
    training and validation rows of these are the pool; the rest is the test set.
    `prepared` is a file with the authors' own order and balance and is preferred to
    `raw` and `openml`. `levels` fixes the order of levels (else sorted); `encoded`
    names, for categorical columns that the file has as 0/1 columns, these columns.
    Missing values are refused in columns that `missing` does not name.
    """

    name: str
    training_rows: Count
    validation_rows: Count
    pool_share: Annotated[float, Between(0, 1)]
    root: Annotated[str | None, INCIDENTAL]
    prepared: ParquetOrigin | None
    raw: ParquetOrigin | None
    openml: OpenmlOrigin | None
    columns: dict[str, ColumnKind]
    levels: dict[str, tuple[str, ...]]
    encoded: dict[str, tuple[str, ...]]
    missing: dict[str, MissingRule]
    standardise: bool
    domain_deviations: PositiveFloat | None
    domain: dict[str, Bounds]
    mutability: dict[str, Kind]

    def __post_init__(self) -> None:
        mistakes = _mistakes(self)
        if mistakes:
            raise ConfigError(mistakes)

    def source(self) -> str:
        return self._origin()[0]

    def located(self) -> str | None:
        """The source as far as files are here already; no network, no error."""
        found = self._find()
        return None if found is None else found[0]

    def load(self) -> Dataset:
        source, origin, path = self._origin()
        frame, labels = self._read(origin, path)
        cut = round(self.pool_share * len(frame))
        rows = self.training_rows + self.validation_rows
        if rows > cut:
            raise DataError(
                f"{self.name}: expected at most {cut} training and validation rows "
                f"(the first {self.pool_share:g} of {len(frame)}), got {rows}"
            )
        _check_classes(self.name, labels[:rows], origin.label.classes)
        try:
            codec = fit_codec(
                frame.iloc[:cut],
                self.columns,
                levels=self.levels,
                standardise=self.standardise,
            )
            features = codec.encode(frame)
        except DataError as error:
            raise DataError(f"{self.name} ({path}):\n{error}") from error
        return Dataset(
            name=self.name,
            source=source,
            features=features[:rows],
            labels=torch.from_numpy(labels[:rows]),
            test_features=features[cut:],
            test_labels=torch.from_numpy(labels[cut:]),
            validation_rows=self.validation_rows,
            classes=origin.label.classes,
            feature_names=codec.feature_names,
            constraints=declared_constraints(
                features[:cut],
                codec,
                deviations=self.domain_deviations,
                domain=self.domain,
                mutability=self.mutability,
            ),
            image_shape=None,
            codec=codec,
        )

    def _read(self, origin: Origin, path: Path) -> tuple[pd.DataFrame, np.ndarray]:
        """Raw rows, complete, in their final order, and their labels."""
        parts = [part for name in self.columns for part in self._parts(name)]
        frame = origin.read(path, parts)
        labels = origin.label.labels(frame[origin.label.column])
        for name, members in self.encoded.items():
            frame[name] = _decoded(name, frame[list(members)])
        frame, kept = _complete(frame[list(self.columns)], self.missing)
        labels = labels[kept]
        if origin.balance_seed is not None:
            order = undersampled(labels, origin.balance_seed)
            frame, labels = frame.iloc[order], labels[order]
        return frame, labels

    def _parts(self, name: str) -> tuple[str, ...]:
        return self.encoded.get(name, (name,))

    def _origins(self) -> list[tuple[str, Origin]]:
        """In the order of preference."""
        origins = {
            "parquet:prepared": self.prepared,
            "parquet:raw": self.raw,
            "openml": self.openml,
        }
        return [(source, origin) for source, origin in origins.items() if origin]

    def _find(self) -> tuple[str, Origin, Path] | None:
        folders = sources.folders(self.root)
        for source, origin in self._origins():
            path = origin.find(folders)
            if path is not None:
                return source, origin, path
        return None

    def _origin(self) -> tuple[str, Origin, Path]:
        """What is here, or else what can be downloaded. Raises DataError."""
        found = self._find()
        if found is not None:
            return found
        files = " or ".join(origin.file for _, origin in self._origins())
        places = " or ".join(map(str, sources.folders(self.root)))
        tried = f"{self.name}: expected {files} in {places}, got none of them"
        if self.openml is None:
            raise DataError(f"{tried}; {ADVICE}")
        parts = [part for name in self.columns for part in self._parts(name)]
        try:
            self.openml.fetch(parts)
        except sources.Unavailable as reason:
            raise DataError(
                f"{tried}, nor OpenML table {self.openml.data_id} ({reason}); {ADVICE}"
            ) from reason
        return self._origin()


ADVICE = "set data.root or $CFTRAIN_DATA to a folder with the file"


def undersampled(labels: np.ndarray, seed: int) -> np.ndarray:
    """Indices, shuffled, of as many rows of each class as the smallest class has."""
    generator = torch.Generator().manual_seed(seed)
    classes, counts = np.unique(labels, return_counts=True)
    chosen = []
    for label in classes:
        members = np.flatnonzero(labels == label)
        order = torch.randperm(len(members), generator=generator).numpy()
        chosen.append(members[order[: counts.min()]])
    rows = np.concatenate(chosen)
    return rows[torch.randperm(len(rows), generator=generator).numpy()]


def _complete(
    frame: pd.DataFrame, rules: Mapping[str, MissingRule]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows without missing values, and which they are. Raises DataError."""
    refused = []
    kept = np.ones(len(frame), dtype=np.bool_)
    filled = {}
    for name in frame:
        missing = frame[name].isna().to_numpy()
        rule = rules.get(name, "refuse")
        if missing.any() and rule == "refuse":
            refused.append(
                f"column {name!r}: expected no missing values, got {missing.sum()}; say "
                f"in data.missing.{name} what to do: drop_rows or, for a categorical "
                "column, own_level"
            )
        if rule == "drop_rows":
            kept &= ~missing
        filled[name] = (
            frame[name].astype(object).where(~missing, MISSING)
            if rule == "own_level"
            else frame[name]
        )
    if refused:
        raise DataError("\n".join(refused))
    return pd.DataFrame(filled)[kept], kept


def _decoded(name: str, members: pd.DataFrame) -> pd.Series:
    """The one column whose 0/1 columns are given. Raises DataError."""
    values = members.to_numpy()
    one_hot = np.isin(values, (0, 1)).all(1) & ((values == 1).sum(1) == 1)
    if not one_hot.all():
        raise DataError(
            f"data.encoded.{name}: expected a single 1 and else 0 in every row of "
            f"{listed(list(members))}, got {int((~one_hot).sum())} rows without, the "
            f"first {values[~one_hot][0].tolist()}"
        )
    return pd.Series(
        np.array(members.columns, dtype=object)[(values == 1).argmax(1)],
        index=members.index,
    )


def _check_classes(name: str, labels: np.ndarray, classes: int) -> None:
    counts = np.bincount(labels, minlength=classes)
    if (counts == 0).any():
        raise DataError(
            f"{name}: expected rows of all {classes} classes in the pool, got "
            f"{counts.tolist()} rows of each"
        )


def _mistakes(spec: Table) -> list[str]:
    """What is wrong with a specification before any table is read."""
    mistakes = []
    if not (spec.prepared or spec.raw or spec.openml):
        mistakes.append("data: expected one of prepared, raw and openml, got none")
    if not spec.columns:
        mistakes.append("data.columns: expected at least one column, got none")
    categorical = [name for name, kind in spec.columns.items() if kind == "categorical"]
    for field, names in (("levels", spec.levels), ("encoded", spec.encoded)):
        mistakes += [
            f"data.{field}.{name}: expected a categorical column of data.columns, one "
            f"of {listed(categorical)}, got {name!r}"
            for name in names
            if name not in categorical
        ]
    for name, rule in spec.missing.items():
        if name not in spec.columns:
            mistakes.append(
                f"data.missing.{name}: expected one of {listed(list(spec.columns))}, "
                f"got {name!r}"
            )
        elif rule == "own_level" and name not in categorical:
            mistakes.append(
                f"data.missing.{name}: expected refuse or drop_rows for a numeric "
                f"column, got {rule!r}"
            )
    return mistakes
