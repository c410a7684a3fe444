"""The training loop: every cell of a stack at once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool
from torch import Tensor

from cftrain.counterfactuals.hyperparameters import counts
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.sampling import TrainingRows
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import predict_at
from cftrain.objectives.naming import OF_COUNTERFACTUALS, PARTS
from cftrain.objectives.objective import Objective
from cftrain.seeding import Streams, children
from cftrain.tensors import PerCell, PerClass
from cftrain.training.averaging import Average
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.epoch import EpochCounterfactuals, draw_counterfactuals
from cftrain.training.history import EpochRecord, as_records, as_tensor
from cftrain.training.keeping import Keeper
from cftrain.training.optimiser import FlatAdam
from cftrain.training.positives import spread
from cftrain.training.schedule import Schedule, batches, groups
from cftrain.training.steps.portion import portions
from cftrain.training.steps.replay import Replay, replay
from cftrain.training.steps.step import Learned, Steps

OnEpoch = Callable[[int, EpochRecord], None]


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Counterfactual training (paper algorithm 1) of all cells of a stack.

    `search` and `objective` are stacked: their floats are (stack, 1) tensors. Draws
    come from one stream per cell.
    """

    rows: TrainingRows
    search: CounterfactualSearch
    objective: Objective
    schedule: Schedule
    streams: Streams

    def train(
        self,
        classifier: Classifier,
        *,
        checkpoint: Checkpoint | None = None,
        on_epoch: OnEpoch = lambda epoch, record: None,
    ) -> list[EpochRecord]:
        """Train in place, from the checkpoint where there is one; the history."""
        optimiser = FlatAdam(self.schedule.optimiser, classifier)
        average = Average(
            optimiser.weights,
            span=self.objective.averaging_epochs * len(self._batches()),
        )
        validation_rows = self.rows.validation.shape[1]
        keeper = Keeper(self.schedule, average.weights, validation_rows=validation_rows)
        drawing = self._replay()
        held = {} if drawing is None else drawing.state()
        records: list[EpochRecord] = []
        if checkpoint:
            saved = checkpoint.load(
                {**optimiser.state(), **average.state(), **keeper.state(), **held},
                growing={"history": as_tensor([], len(self.streams))},
            )
            if saved:
                records = as_records(saved.pop("history"))
                optimiser.restore(saved)
                average.restore(saved)
                keeper.restore(saved, records)
                if drawing is not None:
                    drawing.restore(saved)
        for epoch in range(len(records) + 1, self.schedule.epochs + 1):
            if keeper.all_stopped:
                break
            parts = (classifier, optimiser, average, drawing)
            records.append(self._epoch(epoch, *parts))
            keeper.note(records[-1])
            on_epoch(epoch, records[-1])
            if checkpoint:
                history = as_tensor(records, len(self.streams))
                state = {**optimiser.state(), **average.state(), **keeper.state()}
                checkpoint.save({**state, **held, "history": history})
        keeper.finish()
        average.finish()
        return records

    def _epoch(
        self,
        epoch: int,
        classifier: Classifier,
        optimiser: FlatAdam,
        average: Average,
        drawing: Replay | None,
    ) -> EpochRecord:
        start = time.perf_counter()
        drawn = self._drawn(epoch, classifier)
        order = self.schedule.ordered(self.rows.training, self.streams, epoch)
        bounds = self._batches()
        shares = groups(self.counterfactuals if drawn else 0, len(bounds))
        limits = self.rows.dataset.constraints
        draws = children(self.streams, "attack", epoch)
        steps = Steps(classifier, self.objective, limits, draws, drawing)

        def update(size: PerCell, slopes: Sequence[Tensor]) -> Tensor:
            made = optimiser.step(size, slopes)
            average.note(made)
            return made

        learned = [
            steps.learn(portion, update)
            for portion in portions(self.rows, order, drawn, bounds, shares)
        ]
        means, skipped = self._summary(learned)
        with average.in_place():
            training = self._accuracy(classifier, self.rows.training)
            validation = self._accuracy(classifier, self.rows.validation)
        return EpochRecord(
            **means,
            mature_share=drawn.mature_share if drawn else self._nothing(),
            search_steps=drawn.search_steps if drawn else self._nothing(),
            broken_rows=drawn.broken_rows if drawn else self._nothing(),
            skipped_batches=skipped,
            train_accuracy=training,
            validation_accuracy=validation,
            seconds=torch.full_like(skipped, time.perf_counter() - start),
        )

    def _summary(self, learned: list[Learned]) -> tuple[dict[str, PerCell], PerCell]:
        """Mean losses over the steps that were made; how many were not."""
        means, skipped = _means(learned)
        for name in OF_COUNTERFACTUALS:
            # Cells without counterfactuals carry other rows along: no part of them.
            means[name] = torch.where(self._searched, means[name], 0)
        for name, weight in self.objective.optional_weights.items():
            has = torch.as_tensor(weight).reshape(-1).cpu() != 0
            means[name] = torch.where(has, means[name], torch.nan)
        return means, skipped

    @property
    def _searched(self) -> Bool[Tensor, " stack"]:
        """Which cells have terms about counterfactuals."""
        searched = torch.zeros(len(self.streams), dtype=torch.bool)
        searched[self.objective.cells_with_counterfactuals(len(self.streams))] = True
        return searched

    @cached_property
    def _spread(self) -> PerClass | None:
        """The unit of relative margins (stack, class), where a cell has one."""
        if not counts(self.objective.relative_margin):
            return None
        return spread(self.rows, self.objective.spread)

    def _replay(self) -> Replay | None:
        """What draws from the models' densities, where a cell is trained jointly."""
        if not counts(self.objective.joint_weight):
            return None
        streams = children(self.streams, "replay")
        return replay(self.rows, self.schedule.batch_rows, streams)

    @property
    def counterfactuals(self) -> int:
        """Per epoch, and at least one per batch (as the authors' code)."""
        return max(self.schedule.counterfactuals, len(self._batches()))

    def _batches(self) -> list[slice]:
        return batches(len(self.rows), self.schedule.batch_rows)

    def _drawn(self, epoch: int, classifier: Classifier) -> EpochCounterfactuals | None:
        if epoch <= self.schedule.burn_in_epochs or not self._searched.any():
            return None
        return draw_counterfactuals(
            classifier,
            self.rows,
            self.search,
            self.objective,
            count=self.counterfactuals,
            streams=children(self.streams, "epoch", epoch),
            spread=self._spread,
        )

    def _accuracy(self, classifier: Classifier, index: Tensor) -> PerCell:
        predicted = predict_at(classifier, self.rows.dataset.features, index)
        correct = (predicted == self.rows.labels(index)).sum(1).double().cpu()
        return correct / max(1, index.shape[1])

    def _nothing(self) -> PerCell:
        return torch.full((len(self.streams),), torch.nan)


def _means(learned: list[Learned]) -> tuple[dict[str, PerCell], PerCell]:
    """Mean losses over the steps that were made, NaN without any; how many were not."""
    steps = torch.cat([each.made for each in learned]).double()
    values = torch.cat(
        [torch.cat([each.totals.unsqueeze(1), each.parts], 1) for each in learned]
    ).double()
    values = torch.where(steps.unsqueeze(1) > 0, values, 0).sum(0)
    means = (values / steps.sum(0)).cpu()
    steps = steps.cpu()
    return dict(zip(("loss", *PARTS), means, strict=True)), (1 - steps).sum(0)
