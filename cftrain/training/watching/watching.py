"""All trainings of a stack are watched, and none is harmed by that."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from cftrain.config.identity import describe
from cftrain.errors import warn
from cftrain.training.history import COLUMNS, EpochRecord
from cftrain.training.keeping import Keeper
from cftrain.training.run import Run
from cftrain.training.trainer import OnEpoch
from cftrain.training.watching.logger import Logger, Watch, Watched


@contextmanager
def watched(
    logger: Logger | None, runs: Sequence[tuple[str, Run]], folder: Path
) -> Iterator[OnEpoch]:
    """Yields what to tell of each epoch of a stack of runs, each with the id of its
    cell: the numbers that its history gets. A cell that has stopped early is not told
    of any more.

    After an interruption the epochs are told that are left.
    """
    if logger is None:
        yield lambda epoch, record: None
        return
    weights = torch.empty(len(runs), 0)  # only the epochs are counted
    keeper = Keeper(runs[0][1].schedule, weights, validation_rows=1)
    watches = _Watches(logger, [_told(cell, run) for cell, run in runs], folder)

    def tell(epoch: int, record: EpochRecord) -> None:
        before = keeper.epochs.clone()
        keeper.counted(record)
        for place in (keeper.epochs > before).nonzero().flatten().tolist():
            watches.epoch(place, epoch, _values(record, place))

    try:
        yield tell
    finally:
        watches.close()


class _Watches:
    """A watch for each training of a stack, as long as they work."""

    def __init__(
        self, logger: Logger, trainings: Sequence[Watched], folder: Path
    ) -> None:
        self._logger = logger
        self._open: dict[int, Watch] = {}
        for place, training in enumerate(trainings):
            with self._unharmed():
                self._open[place] = logger.opened(training, folder)
            if self._failed:
                return

    def epoch(self, place: int, number: int, values: dict[str, float]) -> None:
        if self._failed:
            return
        with self._unharmed():
            self._open[place].epoch(number, values)

    def close(self) -> None:
        for watch in self._open.values():
            with self._unharmed():
                watch.close()

    _failed = False

    @contextmanager
    def _unharmed(self) -> Iterator[None]:
        """What a logger raises is told once, and ends what it is told, but no run."""
        try:
            yield
        except Exception as error:
            if not self._failed:
                lines = str(error).splitlines() or ["no message"]
                warn(
                    f"logger {self._logger.extra} failed, the training goes on without "
                    f"it: {type(error).__name__}: {lines[0]}"
                )
            self._failed = True


def _told(cell: str, run: Run) -> Watched:
    described = describe(run)
    objective = f"{run.objective.name}-seed{run.seed}"
    return Watched(
        cell=cell,
        name=f"{described['data'].get('name', 'data')}-{objective}",
        settings=dict(_flat(described, "")),
    )


def _flat(values: object, key: str) -> Iterator[tuple[str, object]]:
    """The values of a tree by their keys, with dots in between."""
    if not isinstance(values, dict):
        yield key, values
        return
    for name, value in values.items():
        yield from _flat(value, f"{key}.{name}" if key else str(name))


def _values(record: EpochRecord, place: int) -> dict[str, float]:
    """The finite numbers of a cell: loggers have no others."""
    values = {name: float(getattr(record, name)[place]) for name in COLUMNS}
    return {name: value for name, value in values.items() if math.isfinite(value)}
