"""Images of the user's as a data set that says everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from cftrain.config.names import named
from cftrain.config.ranges import Between, Count, Incidental, Seed
from cftrain.data import sources
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.data.order import stratified_order
from cftrain.data.pictures.album import Album, Fingerprint, Item, Medium, MostMemory
from cftrain.data.pictures.canvas import Canvas, Channels
from cftrain.data.pictures.opening import opened
from cftrain.data.pictures.pixels import pixel_codec, pixel_constraints, scaled
from cftrain.errors import ConfigError, DataError


@named("image_set")
@dataclass(frozen=True, kw_only=True)
class ImageSet(DatasetSpec):
    """Images in [-1, 1], row by row, the channels of a pixel side by side.

    All are shuffled such that every stretch has the classes in equal shares; the first
    `pool_share` of them are for training and validation, the rest is the test set.
    Without that share the folders train and test say it, and train is shuffled.

    The path is remembered, so that stored runs find their images again, but is no part
    of what they are.
    """

    name: str
    training_rows: Count
    validation_rows: Count
    pool_share: Annotated[float, Between(0, 1)] | None
    shuffle_seed: Seed
    path: Annotated[str | None, Incidental(today=lambda: None, remembered=True)]
    root: sources.Root
    medium: Medium
    image: str | None
    label: str | None
    rows: Count
    classes: tuple[str, ...]
    size: tuple[Count, Count]
    channels: Channels
    resize: bool
    recolour: bool
    immutable_rows: tuple[int, ...]
    most_memory: MostMemory

    def __post_init__(self) -> None:
        if not self.path:
            raise ConfigError("data.path: expected a folder or a file, got null")
        path = str(Path(self.path).expanduser().absolute())
        object.__setattr__(self, "path", path)

    @property
    def canvas(self) -> Canvas:
        return Canvas(
            height=self.size[0],
            width=self.size[1],
            channels=self.channels,
            resize=self.resize,
            recolour=self.recolour,
            settled=False,
        )

    def source(self) -> str:
        self._found()
        return self.medium

    def identity(self) -> str:
        fingerprint = Fingerprint()
        for item in self._album().items():
            fingerprint.add(item)
        return self._identity(fingerprint)

    def located(self) -> str | None:
        return None if self._find() is None else self.medium

    def load(self) -> Dataset:
        album, fingerprint = self._album(), Fingerprint()
        labels = self._labels(album)
        values = np.empty((len(labels), self.canvas.inputs), dtype=np.uint8)
        for place, item in enumerate(self._hashed(album, fingerprint)):
            values[place] = self.canvas.drawn(item).ravel()
        order, cut = self._order(album, labels)
        rows = order[: self.training_rows + self.validation_rows]
        pool, test = scaled(values[rows]), order[cut:]
        codec = pixel_codec(*self.canvas.shape)
        return Dataset(
            name=self.name,
            source=self.medium,
            identity=self._identity(fingerprint),
            features=pool,
            labels=torch.from_numpy(labels[rows]),
            test_features=scaled(values[test]),
            test_labels=torch.from_numpy(labels[test]),
            validation_rows=self.validation_rows,
            classes=len(self.classes),
            feature_names=codec.feature_names,
            constraints=pixel_constraints(
                pool, codec, height=self.size[0], immutable_rows=self.immutable_rows
            ),
            image_shape=self.size,
            codec=codec,
            labelled=self.classes,
        )

    def _hashed(self, album: Album, fingerprint: Fingerprint) -> Iterator[Item]:
        """The images, each after it was hashed: what is hashed is what is parsed."""
        for item in album.items():
            fingerprint.add(item)
            yield item

    def _identity(self, fingerprint: Fingerprint) -> str:
        return f"{self.medium}:{fingerprint}"

    def _labels(self, album: Album) -> np.ndarray:
        """Classes of the images. Raises DataError for others than were declared."""
        unknown = sorted(set(album.labels) - set(self.classes))
        if unknown or len(album.labels) != self.rows:
            also = f", among them of {unknown[0]!r}" if unknown else ""
            raise DataError(
                f"{self.path}: expected {self.rows} images of {len(self.classes)} "
                f"classes, got {len(album.labels)}{also}"
            )
        place = {name: index for index, name in enumerate(self.classes)}
        return np.array([place[label] for label in album.labels], dtype=np.int64)

    def _order(self, album: Album, labels: np.ndarray) -> tuple[np.ndarray, int]:
        """The places of the images in the order of the rows, and where test rows start.

        Raises DataError if the pool is too small, or lacks a class.
        """
        order, cut = self._ordered(album, labels)
        rows = self.training_rows + self.validation_rows
        if rows > cut:
            raise DataError(
                f"{self.path}: expected at most {cut} training and validation rows, "
                f"got {rows}"
            )
        counts = np.bincount(labels[order[:rows]], minlength=len(self.classes))
        if (counts == 0).any():
            raise DataError(
                f"{self.path}: expected rows of all classes in the pool, got none of "
                f"{self.classes[int(counts.argmin())]!r}"
            )
        return order, cut

    def _ordered(self, album: Album, labels: np.ndarray) -> tuple[np.ndarray, int]:
        if self.pool_share is not None:
            order = stratified_order(labels, self.shuffle_seed)
            return order, round(self.pool_share * len(order))
        parts = np.array(album.parts or ())
        pool, test = (np.flatnonzero(parts == part) for part in ("train", "test"))
        mixed = pool[stratified_order(labels[pool], self.shuffle_seed)]
        return np.concatenate([mixed, test]), len(pool)

    def _album(self) -> Album:
        """Raises DataError for another kind of file than was declared."""
        found = opened(
            self._found(),
            image=self.image,
            label=self.label,
            most_memory=self.most_memory,
        )
        divided = self.pool_share is None
        if found.medium != self.medium or (found.parts is not None) != divided:
            raise DataError(
                f"{self.path}: expected images as they were declared ({self.medium}, "
                f"{'with' if divided else 'without'} train and test), got others"
            )
        return found

    def _find(self) -> Path | None:
        path = Path(str(self.path))
        places = [path, *(root / path.name for root in sources.folders(self.root))]
        return next((place for place in places if place.exists()), None)

    def _found(self) -> Path:
        found = self._find()
        if found is None:
            raise DataError(
                f"{self.name}: expected images at {self.path}, or of that name in "
                "data.root or $CFTRAIN_DATA, got none"
            )
        return found
