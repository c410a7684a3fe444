"""Weights & Biases: a run for each training, kept here unless said otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from cftrain.config.names import named
from cftrain.training.watching.logger import Logger, Watch, Watched


@named("wandb")
@final
@dataclass(frozen=True, kw_only=True)
class WeightsAndBiases(Logger):
    """A run of a project for each training.

    `offline` leaves it in `wandb/` below the results, for `wandb sync`; `online` sends
    the settings and the history to the server that `wandb login` has named.
    """

    package: ClassVar[str] = "wandb"
    extra: ClassVar[str] = "wandb"

    project: str
    mode: Literal["offline", "online"]

    @property
    def elsewhere(self) -> str | None:
        return "logger.mode" if self.mode == "online" else None

    def opened(self, training: Watched, folder: Path) -> Watch:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        run = wandb.init(
            project=self.project,
            mode=self.mode,
            dir=str(folder),
            name=training.name,
            group=folder.name,
            config={**training.settings, "cell": training.cell},
            reinit="create_new",
            # Nothing but what is said here: no code, no output, nothing of the machine.
            settings=wandb.Settings(
                silent=True,
                console="off",
                disable_code=True,
                disable_git=True,
                x_disable_stats=True,
                x_disable_meta=True,
            ),
        )
        return _Run(run)


class _Run(Watch):
    def __init__(self, run: Any) -> None:
        self._run = run

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=number)

    def close(self) -> None:
        self._run.finish()
