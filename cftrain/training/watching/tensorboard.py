"""TensorBoard: event files in the folder of the results."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

from cftrain.config.names import named
from cftrain.config.trust import is_folder_below
from cftrain.errors import ConfigError
from cftrain.training.watching.logger import Logger, Watch, Watched


@named("tensorboard")
@final
@dataclass(frozen=True, kw_only=True)
class TensorBoard(Logger):
    """A folder of event files for each training: `tensorboard --logdir FOLDER`.

    They lie in `folder` below the results.
    """

    package: ClassVar[str] = "tensorboard"
    extra: ClassVar[str] = "tensorboard"

    folder: str

    def __post_init__(self) -> None:
        if not is_folder_below(self.folder):
            raise ConfigError(
                "logger.folder: expected that of a folder below the results, got "
                f"{self.folder!r}"
            )

    def opened(self, training: Watched, folder: Path) -> Watch:
        from torch.utils.tensorboard import SummaryWriter

        place = folder / self.folder / f"{training.name}-{training.cell}"
        writer = SummaryWriter(str(place))
        lines = [f"| {key} | {value} |" for key, value in training.settings.items()]
        writer.add_text("settings", "\n".join(["| key | value |", "|---|---|", *lines]))
        return _Events(writer)


class _Events(Watch):
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, number)

    def close(self) -> None:
        self._writer.close()
