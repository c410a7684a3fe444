"""Files whose contents are those that a manifest tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from cftrain.bundle.layout import most_bytes
from cftrain.config.build import build_object
from cftrain.config.identity import describe, later
from cftrain.errors import ConfigError, ResultError
from cftrain.results.described import described
from cftrain.results.folders import regular_bytes

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A folder and the SHA-256 of each of its files, by their names."""

    folder: Path
    digests: Mapping[str, str]

    def check(self) -> None:
        """Raises ResultError for a file that is not the one that was written."""
        for name in self.digests:
            self.read(name)

    def read(self, name: str) -> bytes:
        """Returns what is in a file, which is what was written. Raises ResultError."""
        content = read_bytes(self.folder, name)
        if sha256(content).hexdigest() != self.digests[name]:
            raise ResultError(
                f"{self.folder / name}: expected the file that was written by cftrain "
                "export, got another one (its checksum differs)"
            )
        return content

    def values(self, name: str) -> dict[str, Any]:
        """Returns the mapping in a JSON file. Raises ResultError."""
        return described(self.read(name), str(self.folder / name))

    def build(self, name: str, kind: type[T]) -> T:
        """Returns the object whose fields a JSON file has. Raises ResultError.

        A file may be older than a field that is neutral then.
        """
        cls: Any = kind
        older = {name: describe(mark.neutral) for name, mark in later(cls).items()}
        target = f"{kind.__module__}.{kind.__qualname__}"
        try:
            values = {**older, **self.values(name), "_target_": target}
            return build_object(values, kind, name)
        except ConfigError as error:
            raise ResultError(f"{self.folder / name}: {error}") from error


def read_bytes(folder: Path, name: str) -> bytes:
    """What is in a file of a bundle, and no link. Raises ResultError."""
    path = folder / name
    try:
        if path.is_symlink():
            raise OSError("expected a file, got a link")
        return regular_bytes(path, most_bytes(name))
    except OSError as error:
        raise ResultError(f"{path}: could not be read: {error}") from error
