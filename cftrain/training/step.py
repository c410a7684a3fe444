"""The rows of one step of training, and what the loss needs to know of them."""

import torch
from torch import Tensor

from cftrain.counterfactuals.attacks import ScaledPgd
from cftrain.counterfactuals.energy import cross_entropy, guidance
from cftrain.counterfactuals.gradients import input_gradient
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier
from cftrain.objectives.batch import Batch
from cftrain.objectives.objective import Objective, counts
from cftrain.objectives.terms import misalignment, squared_slope
from cftrain.seeding import Streams
from cftrain.tensors import Classes, PerRow, Rows
from cftrain.training.epoch import EpochCounterfactuals


def batch_of(
    classifier: Classifier,
    objective: Objective,
    observed: Rows,
    label: Classes,
    drawn: EpochCounterfactuals | None,
    share: slice,
    *,
    constraints: Constraints,
    streams: Streams,
) -> Batch:
    """Returns a step's batch, from one forward pass for all of its rows.

    `share` are the places of the step's counterfactuals among those of the epoch. Terms
    that no model of the stack has cost nothing.
    """
    rows = [observed]
    if drawn is not None:
        rows += [
            drawn.nascent[:, share],
            drawn.positive[:, share],
            drawn.counterfactual[:, share],
        ]
    if counts(objective.attack_weight):
        attack = ScaledPgd(steps=objective.attack_steps)
        rows.append(
            attack(
                classifier,
                observed,
                label,
                attack.random_starts(observed, streams),
                epsilon=objective.attack_epsilon,
                constraints=constraints,
            )
        )
    none = observed[:, :0, 0]
    no_class = label[:, :0]
    return Batch(
        logits=classifier(torch.cat(rows, 1) if len(rows) > 1 else observed),
        observed_label=label,
        nascent_label=no_class if drawn is None else drawn.nascent_label[:, share],
        target=no_class if drawn is None else drawn.target[:, share],
        ridge_share=none if drawn is None else drawn.ridge_share[:, share],
        margin=none if drawn is None else drawn.margin[:, share],
        misalignment=_misalignment(classifier, drawn, share, constraints, none),
        squared_slope=_squared_slope(classifier, objective, observed, label, none),
    )


def _misalignment(
    classifier: Classifier,
    drawn: EpochCounterfactuals | None,
    share: slice,
    constraints: Constraints,
    none: PerRow,
) -> PerRow:
    """How far the model's gradients point away from where the searches should go."""
    if drawn is None or drawn.path is None:
        return none
    ascent = input_gradient(
        guidance,
        classifier,
        drawn.path.visited[:, share],
        drawn.target[:, share],
        differentiable=True,
    )
    movable = constraints.may_increase | constraints.may_decrease
    return misalignment(ascent, drawn.path.wanted[:, share], movable)


def _squared_slope(
    classifier: Classifier,
    objective: Objective,
    observed: Rows,
    label: Classes,
    none: Tensor,
) -> PerRow:
    """How steep the class loss is at observed rows."""
    if not counts(objective.slope_weight):
        return none
    gradient = input_gradient(
        cross_entropy, classifier, observed, label, differentiable=True
    )
    return squared_slope(gradient)
