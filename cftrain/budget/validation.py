"""How good models are on their validation rows, which no test row has a part in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan, sqrt

import numpy as np
import pandas as pd

from cftrain.budget.budget import NOTHING, STRENGTH, Budget, Candidate, Loss
from cftrain.data.dataset import Dataset
from cftrain.data.sampling import training_rows
from cftrain.data.sources import cache
from cftrain.errors import ConfigError
from cftrain.evaluation.evaluate import Evaluation, evaluate
from cftrain.evaluation.metric import CounterfactualMetric
from cftrain.evaluation.protocol import Protocol
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import predict
from cftrain.seeding import Stream

INDIVIDUAL = ["factual", "target"]
OF_ANSWERS = {"valid": "validity", "mature": "reach"}
"""What an answer is or is not, and the share of those that are."""


@dataclass(frozen=True, kw_only=True)
class Validated:
    """What validation rows say of a model: losses, the shares by name that are lost of,
    and the `value` of the measure (NaN of the strength, which is no metric).
    """

    candidate: Candidate
    rows: int
    individuals: int
    shares: Mapping[str, float]
    value: float


def validation_data(dataset: Dataset, seed: int) -> Dataset:
    """Returns the data with the validation rows of a seed in the place of test rows."""
    rows = training_rows(dataset, [Stream(seed).child("split")])
    held = rows.validation[0]
    return replace(
        dataset,
        test_features=dataset.features[held],
        test_labels=dataset.labels[held],
    )


def validation_protocol(protocol: Protocol, budget: Budget) -> Protocol:
    """Returns how models are evaluated on validation rows: as on test rows, but once,
    on the same individuals and by what the budget is about. Raises ConfigError.
    """
    known = protocol.metrics
    if budget.measure != STRENGTH and budget.measure not in known:
        raise ConfigError(
            f"budget.measure: expected {STRENGTH} or one of {', '.join(known)}, got "
            f"{budget.measure!r}"
        )
    single = [name for name, metric in known.items() if _of_single(metric)]
    if not single:
        raise ConfigError(
            "evaluation.metrics: expected ip or cost, which a budget needs to follow "
            f"single counterfactuals, got {', '.join(known)}"
        )
    wanted = {single[0], budget.measure} & set(known)
    names = [name for name in known if name in wanted]
    return single_round(protocol, names, individuals=budget.individuals)


def single_round(
    protocol: Protocol, names: Sequence[str], *, individuals: int
) -> Protocol:
    """Returns a protocol of some metrics, once, on individuals that are the same for
    all models, of the rows that stand in the place of test rows (`validation_data`).
    """
    return replace(
        protocol,
        rounds=1,
        individuals=individuals,
        split="test",
        sampling="paired",
        metrics={name: protocol.metrics[name] for name in names},
        gallery=None,
        attributions=None,
    )


def validated(
    classifier: Classifier,
    dataset: Dataset,
    protocol: Protocol,
    budget: Budget,
    *,
    strengths: Sequence[float],
    seed: int,
    on_part: Callable[[], None] = lambda: None,
) -> list[Validated]:
    """Returns what validation rows say of each cell of a stack, the baseline first; all
    cells have the seed, and so the same validation rows.
    """
    held = validation_data(dataset, seed)
    chosen = validation_protocol(protocol, budget).fitted(dataset, cache())
    correct = predict(classifier, held.test_features.unsqueeze(0)) == held.test_labels
    rows = correct.double().cpu().numpy()
    found = evaluate(
        classifier, held, chosen, streams=[Stream(seed)] * len(rows), on_part=on_part
    )
    answers = [_answers(found, cell) for cell in range(len(rows))]
    made = []
    for cell, strength in enumerate(strengths):
        value, score = _value(found, chosen, budget.measure, cell, strength)
        own = answers[cell]
        losses = {name: _common_loss(answers[0][name], own[name]) for name in own}
        shares = {name: _mean(own[name]) for name in own}
        candidate = Candidate(
            strength=strength,
            losses={"accuracy": loss(rows[0], rows[cell]), **losses},
            score=score,
        )
        made.append(
            Validated(
                candidate=candidate,
                rows=rows.shape[1],
                individuals=len(own),
                shares={"accuracy": _mean(rows[cell]), **shares},
                value=value,
            )
        )
    return made


def loss(baseline: np.ndarray, model: np.ndarray) -> Loss:
    """Returns the mean of what a model has less than its baseline, row by row (row,),
    with the standard error of this mean.
    """
    less = baseline - model
    if not len(less):
        return NOTHING
    error = less.std(ddof=1) / sqrt(len(less)) if len(less) > 1 else nan
    return Loss(value=float(less.mean()), error=float(error))


def _of_single(metric: object) -> bool:
    return isinstance(metric, CounterfactualMetric) and metric.individual


def _answers(found: Evaluation, cell: int) -> pd.DataFrame:
    """The shares of energy weights by which each individual gets a valid answer, and
    one that gets to the threshold.
    """
    columns = [*INDIVIDUAL, *OF_ANSWERS]
    tables = [
        pd.DataFrame({name: getattr(part, name).cpu().numpy() for name in columns})
        for part in found.explained
        if part.cell == cell and part.metric == found.explained[0].metric
    ]
    every = pd.concat(tables) if tables else pd.DataFrame(columns=columns)
    shares: pd.DataFrame = every.groupby(INDIVIDUAL).mean()
    return shares.rename(columns=OF_ANSWERS)


def _mean(values: np.ndarray | pd.Series) -> float:
    return float(values.mean()) if len(values) else nan


def _common_loss(baseline: pd.Series, model: pd.Series) -> Loss:
    """That of the individuals that both models have."""
    both = pd.concat([baseline, model], axis=1, join="inner").to_numpy(float)
    return loss(both[:, 0], both[:, 1])


def _value(
    found: Evaluation, protocol: Protocol, measure: str, cell: int, strength: float
) -> tuple[float, float]:
    """The measure of a model, and the same so that more is better."""
    if measure == STRENGTH:
        return nan, strength
    values = [
        each.value
        for each in found.measurements
        if each.cell == cell and each.metric == measure
    ]
    value = float(np.nanmean(values)) if np.isfinite(values).any() else nan
    better = protocol.metrics[measure].higher_is_better
    return value, value if better else -value
