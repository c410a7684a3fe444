"""What is said of images whose declaration is to be found by looking at them."""

from dataclasses import dataclass

from cftrain.config.names import named
from cftrain.config.ranges import Count, PositiveFloat, Seed
from cftrain.data.columns import WrittenLevel
from cftrain.data.pictures.canvas import Channels
from cftrain.data.tables.guessing.table import OpenShare


@named("images")
@dataclass(frozen=True, kw_only=True)
class Images:
    """Images with labels, and whatever they shall be made to be.

    This is no dataset: `cftrain.data.pictures.look` makes a declaration of it, which
    says everything, and that is what runs are made of and identified by.
    """

    name: str
    path: str
    image: str | None
    label: str | None
    classes: tuple[WrittenLevel, ...] | None
    size: tuple[Count, Count] | None
    channels: Channels | None
    immutable_rows: tuple[int, ...]
    root: str | None
    test_share: OpenShare
    validation_share: OpenShare
    shuffle_seed: Seed
    most_memory: PositiveFloat

    @property
    def pool_share(self) -> float:
        """Returns the share of images for training and validation."""
        return round(1 - self.test_share, 6)
