"""Which method made a model, and how much of it there is."""

from cftrain.results.described import described
from cftrain.results.leaves import value_at

BASELINE, ENSEMBLE = "vanilla", "ensemble"


def method_of(objective: str, config: object) -> tuple[str, float]:
    """Returns the method of a cell with this stored configuration, and its setting: the
    strength of its objective, or 0 where it has none.

    An ensemble of baselines is a method of its own. Raises ResultError for a
    configuration that cannot be read.
    """
    run = described(config, "a cell")
    ensemble = value_at(run, "model._target_") == ENSEMBLE
    method = ENSEMBLE if ensemble else objective
    if method in (BASELINE, ENSEMBLE):
        return method, 0.0
    if objective == "smoothing":
        return method, float(value_at(run, "objective.label_smoothing"))
    return method, float(value_at(run, "objective.strength", 1.0))
