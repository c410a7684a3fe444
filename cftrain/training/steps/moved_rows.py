"""Rows that a step makes of observed ones, within what the constraints allow."""

from cftrain.counterfactuals.attacks import ScaledPgd
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier
from cftrain.objectives.objective import Objective
from cftrain.seeding import Streams
from cftrain.tensors import Classes, Rows
from cftrain.training.epoch import other_class


def attacked(
    classifier: Classifier,
    objective: Objective,
    observed: Rows,
    label: Classes,
    *,
    constraints: Constraints,
    streams: Streams,
) -> Rows:
    """Returns rows moved away from their label (Madry et al., 2018)."""
    attack = ScaledPgd(steps=objective.attack_steps)
    return attack(
        classifier,
        observed,
        label,
        attack.random_starts(observed, streams),
        epsilon=objective.attack_epsilon,
        constraints=constraints,
    )


def recoursed(
    classifier: Classifier,
    objective: Objective,
    observed: Rows,
    *,
    constraints: Constraints,
    streams: Streams,
) -> tuple[Rows, Classes]:
    """Returns rows moved towards another class than the predicted one, as far as they
    may, and that class (Ross et al., 2021).
    """
    predicted = classifier(observed).detach()
    target = other_class(predicted.argmax(-1), predicted.shape[-1], streams)
    attack = ScaledPgd(steps=objective.attack_steps)
    moved = attack(
        classifier,
        observed,
        target,
        attack.starts(observed[0]),
        epsilon=objective.recourse_epsilon,
        constraints=constraints,
        towards=True,
    )
    return moved, target
