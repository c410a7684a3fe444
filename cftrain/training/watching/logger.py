"""What a logger is: it is told of each epoch of a training, by a tool of its own."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from cftrain.errors import ConfigError, ExtraError


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A training by the id of its cell and a name for people.

    `settings` has the values of its run, by keys such as "objective.ridge_weight".
    """

    cell: str
    name: str
    settings: Mapping[str, Any]


class Watch(ABC):
    """One training that is being watched."""

    @abstractmethod
    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Takes what the history says of an epoch, by its columns; finite numbers."""

    @abstractmethod
    def close(self) -> None:
        """Is called once, in the end, whatever that is."""


class Logger(ABC):
    """Opens a watch for each training. Concrete ones are final frozen dataclasses.

    It is no part of a run: it changes no number and no id. What it raises is told once
    and stops the watch, not the training.
    """

    package: ClassVar[str]
    """What has to be installed."""

    extra: ClassVar[str]
    """The extra of cftrain that installs it."""

    @property
    def elsewhere(self) -> str | None:
        """Returns the key by which something leaves the folder of the results, if it
        does: no file may say that, only who is at the keyboard.
        """
        return None

    def check(self, typed: Collection[str]) -> None:
        """Raises ExtraError if its package is not installed, and ConfigError for a
        place elsewhere that is not among the keys that were typed.
        """
        key = self.elsewhere
        if key is not None and key not in typed:
            raise ConfigError(
                f"{key}: expected on the command line, since settings and histories "
                "leave the folder of the results by it, got it from a file"
            )
        if find_spec(self.package) is None:
            raise ExtraError(
                f"logger={self.extra}: expected {self.package} to be installed, got no "
                f"such package; pip install 'cftrain[{self.extra}]' adds it"
            )

    @abstractmethod
    def opened(self, training: Watched, folder: Path) -> Watch:
        """Returns a watch of a training whose results go to a folder."""
