"""Which epoch's weights a training keeps, and when a model has stopped early."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from cftrain.tensors import PerCell
from cftrain.training.history import EpochRecord
from cftrain.training.schedule import Schedule

KEPT = "kept"
"""The weights' name in checkpoints."""


class Keeper:
    """The weights (stack, parameter) that each cell will end with, as far as known.

    With `schedule.keep: best` these are the ones of its first epoch with the best
    validation accuracy, with `one_standard_error` those of its last epoch whose
    accuracy is at most one standard error below that; epochs of the burn-in do not
    count, unless there are no others. A cell stops `schedule.patience` epochs after the
    best one. Its neighbours in the stack go on; what it would do meanwhile is
    forgotten, so that it ends as it does alone. `epochs` says after how many each of
    them has ended so far.
    """

    def __init__(
        self, schedule: Schedule, weights: Tensor, *, validation_rows: int
    ) -> None:
        self._schedule = schedule
        self._validation_rows = validation_rows
        self._live = weights
        self._kept = weights.clone() if self.needed else weights
        self._best = torch.full((len(weights),), -torch.inf, dtype=torch.float64)
        self._since = torch.zeros(len(weights), dtype=torch.int64)
        self.epochs = torch.zeros(len(weights), dtype=torch.int64)
        self._stopped = torch.zeros(len(weights), dtype=torch.bool)

    @property
    def needed(self) -> bool:
        """Whether a cell may end with other weights than those of the last epoch."""
        return self._schedule.judges_epochs

    @property
    def all_stopped(self) -> bool:
        return bool(self._stopped.all())

    def note(self, record: EpochRecord) -> None:
        """Look at the weights after an epoch."""
        keeping = self.counted(record)
        if not self.needed:
            return
        chosen = keeping.to(self._live.device).unsqueeze(1)
        self._kept = torch.where(chosen, self._live, self._kept)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint has to hold besides the history."""
        return {KEPT: self._kept} if self.needed else {}

    def restore(self, state: dict[str, Tensor], records: Sequence[EpochRecord]) -> None:
        """Go on after an interruption."""
        for record in records:
            self.counted(record)
        if self.needed:
            self._kept.copy_(state[KEPT])

    def finish(self) -> None:
        """Give each cell the weights that it keeps."""
        if self.needed:
            self._live.copy_(self._kept)

    def counted(self, record: EpochRecord) -> Bool[Tensor, " stack"]:
        """Count an epoch; which cells keep its weights for now."""
        accuracy = record.validation_accuracy.cpu().double()
        going_on = ~self._stopped
        self.epochs += going_on
        counting = going_on & (self.epochs > self._schedule.ignored_epochs)
        better = counting & (accuracy > self._best)
        self._best = torch.where(better, accuracy, self._best)
        self._since = torch.where(better, 0, self._since + counting)
        if self._schedule.patience is not None:
            self._stopped |= self._since >= self._schedule.patience
        if self._schedule.keep == "best":
            return better
        if self._schedule.keep == "one_standard_error":
            error = standard_error(self._best, self._validation_rows)
            return counting & (accuracy >= self._best - error)
        return going_on


def standard_error(accuracy: PerCell, rows: int) -> PerCell:
    """Returns the standard error of a share of so many rows.

    Two more rows that are right and two that are wrong are counted (Agresti and Coull,
    1998): without them there would be none where all rows are right.
    """
    counted = rows + 4
    share = (accuracy * rows + 2) / counted
    return (share * (1 - share) / counted).sqrt()


def epochs_trained(schedule: Schedule, records: Sequence[EpochRecord]) -> list[int]:
    """Returns after how many epochs each cell of a stack has stopped."""
    keeper = Keeper(schedule, torch.empty(len(records[0].loss), 0), validation_rows=1)
    for record in records:
        keeper.counted(record)
    return [int(count) for count in keeper.epochs]
