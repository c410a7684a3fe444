"""The rows of one step of training, and what the loss needs to know of them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.counterfactuals.attacks import ScaledPgd
from cftrain.counterfactuals.energy import cross_entropy, guidance
from cftrain.counterfactuals.gradients import input_gradient
from cftrain.counterfactuals.hyperparameters import counts
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier, learning
from cftrain.objectives.batch import Batch
from cftrain.objectives.objective import Objective
from cftrain.objectives.terms import misalignment, squared_slope
from cftrain.seeding import Streams, children
from cftrain.tensors import Classes, Rows
from cftrain.training.epoch import EpochCounterfactuals, other_class
from cftrain.training.replay import Replay


@dataclass(frozen=True)
class Steps:
    """Makes the batches of a stack; terms that none of its models has cost nothing."""

    classifier: Classifier
    objective: Objective
    constraints: Constraints
    streams: Streams
    replay: Replay | None = None

    def batch(
        self,
        observed: Rows,
        label: Classes,
        drawn: EpochCounterfactuals | None,
        share: slice,
        *,
        start: int = 0,
    ) -> Batch:
        """Returns a step's batch, from one forward pass for all of its rows.

        `share` are the places of the step's counterfactuals among those of the epoch,
        `start` is that of its first row, which its draws go by.
        """
        rows, none, no_class = [observed], observed[:, :0, 0], label[:, :0]
        if drawn is not None:
            of_epoch = (drawn.nascent, drawn.positive, drawn.counterfactual)
            rows += [each[:, share] for each in of_epoch]
        if counts(self.objective.attack_weight):
            rows.append(self._attacked(observed, label, start))
        recourse_target = drawn_place = no_class
        if counts(self.objective.recourse_weight):
            moved, recourse_target = self._moved(observed, start)
            rows.append(moved)
        if self.replay is not None:
            streams = children(self.streams, start)
            of_model, drawn_place = self.replay.drawn(self.classifier, streams)
            rows.append(of_model)
        return Batch(
            logits=learning(
                self.classifier,
                torch.cat(rows, 1) if len(rows) > 1 else observed,
                children(self.streams, "dropout", start),
            ),
            observed_label=label,
            nascent_label=no_class if drawn is None else drawn.nascent_label[:, share],
            target=no_class if drawn is None else drawn.target[:, share],
            ridge_share=none if drawn is None else drawn.ridge_share[:, share],
            margin=none if drawn is None else drawn.margin[:, share],
            misalignment=none if drawn is None else self._misalignment(drawn, share),
            squared_slope=self._squared_slope(observed, label),
            recourse_target=recourse_target,
            drawn_place=drawn_place,
        )

    def _attacked(self, observed: Rows, label: Classes, start: int) -> Rows:
        streams = children(self.streams, start)
        attack = ScaledPgd(steps=self.objective.attack_steps)
        return attack(
            self.classifier,
            observed,
            label,
            attack.random_starts(observed, streams),
            epsilon=self.objective.attack_epsilon,
            constraints=self.constraints,
        )

    def _moved(self, observed: Rows, start: int) -> tuple[Rows, Classes]:
        """Rows moved towards another class than the predicted one, as far as they may,
        and that class.
        """
        streams = children(self.streams, "recourse", start)
        predicted = self.classifier(observed).detach()
        target = other_class(predicted.argmax(-1), predicted.shape[-1], streams)
        attack = ScaledPgd(steps=self.objective.attack_steps)
        moved = attack(
            self.classifier,
            observed,
            target,
            attack.starts(observed[0]),
            epsilon=self.objective.recourse_epsilon,
            constraints=self.constraints,
            towards=True,
        )
        return moved, target

    def _misalignment(
        self, drawn: EpochCounterfactuals, share: slice
    ) -> Float[Tensor, "stack aligned"]:
        """How far gradients on the paths of searches point away from where to go."""
        if drawn.path is None:
            return drawn.margin[:, :0]
        ascent = input_gradient(
            guidance,
            self.classifier,
            drawn.path.visited[:, share],
            drawn.target[:, share],
            differentiable=True,
        )
        movable = self.constraints.may_increase | self.constraints.may_decrease
        return misalignment(ascent, drawn.path.wanted[:, share], movable)

    def _squared_slope(
        self, observed: Rows, label: Classes
    ) -> Float[Tensor, "stack sloped"]:
        """How steep the class loss is at observed rows."""
        if not counts(self.objective.slope_weight):
            return observed[:, :0, 0]
        gradient = input_gradient(
            cross_entropy, self.classifier, observed, label, differentiable=True
        )
        return squared_slope(gradient)
