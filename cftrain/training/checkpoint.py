"""An interrupted training, on disk.

Random draws are functions of seed and epoch (`cftrain.seeding`), so the number of
finished epochs is all the random state there is.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cftrain.errors import ResultError
from cftrain.results.writing import replacing

FORMAT = "cftrain-checkpoint-1"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A file that belongs to one stack; `owner` is its id."""

    path: Path
    owner: str

    def save(self, state: dict[str, Tensor]) -> None:
        """Replace the file at once: a reader sees the old epoch or the new one."""
        with replacing(self.path) as partial:
            safetensors.torch.save_file(
                {name: value.cpu().contiguous() for name, value in state.items()},
                partial,
                metadata={"format": FORMAT, "owner": self.owner},
            )

    def load(self) -> dict[str, Tensor] | None:
        """The saved state, None if there is none.

        Raises ResultError if the file is damaged or belongs to other runs.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                names = file.keys()
                state = {name: file.get_tensor(name) for name in names}
        except (SafetensorError, OSError) as error:
            raise ResultError(
                f"{self.path}: expected a readable checkpoint, got {error}; delete the "
                "file to train from the start"
            ) from error
        found = (metadata.get("format"), metadata.get("owner"))
        if found != (FORMAT, self.owner):
            raise ResultError(
                f"{self.path}: expected a checkpoint of stack {self.owner} in format "
                f"{FORMAT}, got stack {found[1]} in format {found[0]}; delete the file "
                "to train from the start"
            )
        return state

    def expect(self, state: dict[str, Tensor], names: Iterable[str]) -> None:
        """Raises ResultError unless the state has tensors of just these names."""
        if set(state) != set(names):
            raise ResultError(
                f"{self.path}: expected tensors {sorted(names)}, got {sorted(state)}; "
                "delete the file to train from the start"
            )

    def remove(self) -> None:
        """Delete the file, and the folder after the last one."""
        self.path.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.parent.rmdir()
