"""Tables of raw columns: a new one is a YAML file that gives these values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Above, Between, Count, Later, PositiveFloat
from cftrain.data import sources
from cftrain.data.columns import ColumnKind, WrittenLevel, level_texts
from cftrain.data.constraints import Constraints
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.data.declarations import Bounds, Kind, declared_constraints
from cftrain.data.encoding import Codec, fit_codec
from cftrain.data.relations.declared import read, related
from cftrain.data.relations.rows import check_rows
from cftrain.data.tables.cleaning import (
    MissingRule,
    check_classes,
    complete,
    from_one_hot,
)
from cftrain.data.tables.mistakes import column_mistakes, origin_mistakes
from cftrain.data.tables.origins import OpenmlOrigin, Origin, ParquetOrigin
from cftrain.data.tables.row_weights import row_weights
from cftrain.errors import ConfigError, DataError
from cftrain.tensors import Features


@named("tabular")
@dataclass(frozen=True, kw_only=True)
class Tabular(DatasetSpec):
    """Numeric columns, standardised by the pool, and categorical ones, one-hot.

    The first `pool_share` of the rows fit the codec and the domain; the pool are the
    first training and validation rows of these; the rest is the test set.
    `prepared` is a file with the authors' own order and balance and is preferred to
    `raw` and `openml`. `levels` fixes the order of levels (else sorted); `encoded`
    names, for categorical columns that the file has as 0/1 columns, these columns.
    The numbers in the column `weight`, which is no input, are the rows' weights.
    Missing values are refused in columns that `missing` does not name, and rows that
    break one of the `relations` unless `broken_relations` keeps them.
    """

    name: str
    training_rows: Count
    validation_rows: Count
    pool_share: Annotated[float, Above(0), Between(0, 1, closed=True)]
    root: sources.Root
    prepared: ParquetOrigin | None
    raw: Origin | None
    openml: OpenmlOrigin | None
    columns: dict[str, ColumnKind]
    levels: dict[str, tuple[WrittenLevel, ...]]
    encoded: dict[str, tuple[str, ...]]
    missing: dict[str, MissingRule]
    standardise: bool
    domain_deviations: PositiveFloat | None
    domain: dict[str, Bounds]
    mutability: dict[str, Kind]
    weight: Annotated[str | None, Later(None)]
    relations: Annotated[tuple[str, ...], Later(())]
    broken_relations: Annotated[Literal["refuse", "keep"], Later("refuse")]

    def __post_init__(self) -> None:
        mistakes = _mistakes(self)
        if mistakes:
            raise ConfigError(mistakes)
        object.__setattr__(self, "levels", level_texts(self.levels))

    @property
    def class_names(self) -> tuple[str, ...] | None:
        found = self._find()
        return None if found is None else found[1].label.names

    @property
    def has_test_rows(self) -> bool:
        return self.pool_share < 1

    def source(self) -> str:
        if self._find() is None:
            self._fetch()
        return self._found()[0]

    def identity(self) -> str:
        self.source()
        source, _, path = self._found()
        return _identity(source, sources.read_file(path))

    def located(self) -> str | None:
        found = self._find()
        return None if found is None else found[0]

    def load(self) -> Dataset:
        source, origin, path = self._found()
        file = sources.read_file(path)
        try:
            frame, labels, cut = self._divided(origin, file)
            codec = self._codec(frame.iloc[:cut])
            features = codec.encode(frame)
            constraints = self._constraints(frame, features[:cut], codec)
            rows = self.training_rows + self.validation_rows
            weights = row_weights(frame[:rows], self.weight)
        except DataError as error:
            raise DataError(f"{self.name} ({path}):\n{error}") from error
        return Dataset(
            name=self.name,
            source=source,
            identity=_identity(source, file),
            features=features[:rows],
            labels=labels[:rows],
            test_features=features[cut:],
            test_labels=labels[cut:],
            validation_rows=self.validation_rows,
            classes=origin.label.classes,
            feature_names=codec.feature_names,
            constraints=constraints,
            image_shape=None,
            codec=codec,
            labelled=origin.label.names,
            weights=weights,
        )

    def _divided(
        self, origin: Origin, file: sources.File
    ) -> tuple[pd.DataFrame, Tensor, int]:
        """Returns all rows in final order, and where the test rows start."""
        frame, labels = self._complete(origin, file)
        cut = round(self.pool_share * len(frame))
        rows = self.training_rows + self.validation_rows
        if rows > cut:
            raise DataError(
                f"expected at most {cut} training and validation rows (the first "
                f"{self.pool_share:g} of {len(frame)}), got {rows}"
            )
        check_classes(labels[:rows], origin.label.classes)
        return frame, torch.from_numpy(labels), cut

    def _codec(self, pool: pd.DataFrame) -> Codec:
        return fit_codec(
            pool,
            self.columns,
            levels=level_texts(self.levels),
            standardise=self.standardise,
            imputed=[name for name, rule in self.missing.items() if rule == "median"],
        )

    def _constraints(
        self, frame: pd.DataFrame, pool: Features, codec: Codec
    ) -> Constraints:
        """Raises ConfigError, and DataError if rows break a relation."""
        declared = declared_constraints(
            pool,
            codec,
            deviations=self.domain_deviations,
            domain=self.domain,
            mutability=self.mutability,
        )
        limits = related(declared, self.relations, codec, key="data.relations")
        if limits.relations is not None and self.broken_relations == "refuse":
            check_rows(frame, limits.relations, codec)
        return limits

    def _complete(
        self, origin: Origin, file: sources.File
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Returns raw rows without missing values in final order, and their labels."""
        frame = origin.read(file, self.parts())
        labels = origin.label.labels(frame[origin.label.column])
        for name, members in self.encoded.items():
            frame[name] = from_one_hot(name, frame[list(members)])
        whole, kept = complete(frame[list(self.columns)], self.missing)
        if self.weight is not None:
            whole = whole.assign(**{self.weight: frame[self.weight][kept]})
        labels = labels[kept]
        order = origin.ordered(labels)
        return whole.iloc[order], labels[order]

    def parts(self) -> dict[str, ColumnKind]:
        """Returns the columns to read: for an encoded one its 0/1 columns."""
        columns: dict[str, ColumnKind] = {self.weight: "numeric"} if self.weight else {}
        for name, kind in self.columns.items():
            for part in self.encoded.get(name, (name,)):
                columns[part] = "numeric" if name in self.encoded else kind
        return columns

    def _origins(self) -> list[tuple[str, Origin]]:
        """Returns the origins by their source, the preferred one first."""
        origins = {
            "parquet:prepared": self.prepared,
            f"{self.raw.medium if self.raw else ''}:raw": self.raw,
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

    def _found(self) -> tuple[str, Origin, Path]:
        """Returns source, origin and file of what is here. Raises DataError."""
        found = self._find()
        if found is None:
            fetch = f"; cftrain data fetch {self.name} downloads it"
            raise DataError(f"{self._tried()}; {ADVICE}{fetch * bool(self.openml)}")
        return found

    def _fetch(self) -> None:
        """Downloads the table to the cache. Raises DataError if it is not to be had."""
        if self.openml is None:
            raise DataError(f"{self._tried()}; {ADVICE}")
        try:
            self.openml.fetch(self.parts())
        except sources.Unavailable as reason:
            raise DataError(
                f"{self._tried()}, nor OpenML table {self.openml.data_id} ({reason}); "
                f"{ADVICE}"
            ) from reason

    def _tried(self) -> str:
        files = " or ".join(origin.called for _, origin in self._origins())
        places = " or ".join(map(str, sources.folders(self.root)))
        return f"{self.name}: expected {files} in {places}, got none of them"


ADVICE = "set data.root or $CFTRAIN_DATA to a folder with the file"


def _identity(source: str, file: sources.File) -> str:
    return f"{source}:{sources.fingerprint([file])}"


def _mistakes(spec: Tabular) -> list[str]:
    """Returns what is wrong with a specification before any table is read."""
    _, mistakes = read(spec.relations, key="data.relations")
    origins = {"prepared": spec.prepared, "raw": spec.raw, "openml": spec.openml}
    mistakes += origin_mistakes(origins, spec.parts())
    fields = ("weight", "levels", "encoded", "missing")
    said = {field: getattr(spec, field) for field in fields}
    return mistakes + column_mistakes(spec.columns, **said)
