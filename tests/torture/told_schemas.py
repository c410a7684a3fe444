"""Random tables with constraints in raw units, and what every answer has to obey.

The rules are said again here, column by column, from what was declared and from the raw
values alone, without any tolerance.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import torch

from cftrain.advice.advice import Advice, advise
from cftrain.advice.advisor import Advisor
from cftrain.advice.answer import Answer
from cftrain.advice.stored_model import observed_box
from cftrain.counterfactuals.categories import Snap
from cftrain.data.declarations import declared_constraints
from cftrain.data.encoding import fit_codec
from cftrain.data.told import as_given
from cftrain.evaluation.reference import Reference
from tests import builders

POOL = 120
LEVELS: tuple[list[Any], ...] = (
    ["no", "yes"],
    ["low", "middle", "high", "very, very high"],
    [0, 1],
    [1, 2, 5, 10],
    ["=1+1", "<b>", "ä", "x"],
)
KINDS = ("free", "immutable", "increase", "decrease")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A numeric column as declared; without decimals it is on no grid."""

    decimals: int | None
    low: float | None
    high: float | None
    kind: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """A table, what was declared of its columns, and an advisor for it."""

    rows: pd.DataFrame
    numbers: dict[str, Number]
    levels: dict[str, list[Any]]
    immutable: set[str]
    advisor: Advisor


def case(seed: int, rows: int) -> Case:
    """Two to seven columns of both kinds; rows may start outside their domain."""
    rng = np.random.default_rng(seed)
    table, numbers, levels = {}, {}, {}
    for place in range(rng.integers(1, 5)):
        name = f"number {place}"
        table[name], numbers[name] = _number(rng, rows)
    for place in range(rng.integers(1, 4)):
        name = f"level {place}"
        levels[name] = LEVELS[rng.integers(len(LEVELS))]
        # All of them are in the pool, whatever is drawn after it.
        drawn = [
            *levels[name],
            *rng.choice(np.array(levels[name], object), POOL + rows),
        ]
        table[name] = drawn[: POOL + rows]
    frame = pd.DataFrame(table)
    immutable = {name for name in levels if rng.random() < 0.3}
    return Case(
        rows=frame[POOL:].reset_index(drop=True),
        numbers=numbers,
        levels=levels,
        immutable=immutable,
        advisor=_advisor(rng, frame[:POOL], numbers, levels, immutable),
    )


def _number(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, Number]:
    """A column of any scale, and bounds as people write them: of six digits, or on the
    grid of the column, or half a unit beside it.
    """
    decimals = (0, 1, 2, 3, None)[rng.integers(5)]
    scale = 10.0 ** rng.uniform(1 - (3 if decimals is None else decimals), 6)
    values = scale * (rng.normal(0, 1, POOL + rows) + rng.uniform(-3, 3))
    low, high = np.quantile(values[:POOL], [rng.uniform(0, 0.2), rng.uniform(0.8, 1)])
    if decimals is None:
        low, high = (float(f"{bound:.6g}") for bound in (low, high))
    else:
        values = np.round(values, decimals) + 0.0
        half = 0.5 * rng.integers(2) / 10**decimals
        low, high = np.round(low, decimals) - half, np.round(high, decimals) + half
    return values, Number(
        decimals=decimals,
        low=float(low) if rng.random() < 0.5 else None,
        high=float(high) if rng.random() < 0.5 else None,
        kind=KINDS[rng.integers(4)],
    )


def _advisor(
    rng: np.random.Generator,
    pool: pd.DataFrame,
    numbers: dict[str, Number],
    levels: dict[str, list[Any]],
    immutable: set[str],
) -> Advisor:
    kinds = dict.fromkeys(numbers, "numeric") | dict.fromkeys(levels, "categorical")
    codec = fit_codec(pool, kinds, levels={}, standardise=True)
    features = codec.encode(pool)
    bounds = {name: (number.low, number.high) for name, number in numbers.items()}
    limits = declared_constraints(
        features,
        codec,
        deviations=None,
        domain={name: b for name, b in bounds.items() if b != (None, None)},
        mutability={n: c.kind for n, c in numbers.items()}
        | dict.fromkeys(immutable, "immutable"),
    )
    classes = int(rng.integers(2, 4))
    if rng.random() < 0.5:
        limits = observed_box(limits, features.amin(0), features.amax(0))
    seed = int(rng.integers(1000))
    return Advisor(
        model=builders.mlp(
            1,
            features=features.shape[1],
            classes=classes,
            seed=seed,
            scale=3.0,
            dtype=torch.float32,
        ),
        others=None,
        search=builders.search(
            builders.generic(0.001), categories=Snap(), max_steps=25
        ),
        codec=codec,
        reference=Reference(features, torch.arange(POOL) % classes, classes),
        constraints=limits,
        class_names=tuple(map(str, range(classes))),
        sparse=bool(rng.random() < 0.7),
    )


def check(seed: int, rows: int) -> int:
    """Checks all answers for the rows of a table; how many there were."""
    drawn = case(seed, rows)
    advisor = drawn.advisor
    given = as_given(drawn.rows, advisor.codec)
    told = [
        (each, answer)
        for each in advise(advisor, given, target=None, count=2)
        for answer in each.answers
    ]
    for each, answer in told:
        obeys(drawn, each, answer)
    if told:
        hold(advisor, told)
    return len(told)


def hold(advisor: Advisor, told: list[tuple[Advice, Answer]]) -> None:
    """All of them, from their raw values alone, are what they are said to be."""
    raw = pd.DataFrame(
        [
            each.given | {change.column: change.after for change in answer.changes}
            for each, answer in told
        ]
    )
    probability = advisor.probabilities(advisor.codec.encode(raw))
    classes = [advisor.class_of(each.target) for each, _ in told]
    assert probability.argmax(1).tolist() == classes
    said = torch.tensor([answer.probability for _, answer in told])
    target = torch.tensor(classes).unsqueeze(1)
    assert torch.allclose(probability.gather(1, target)[:, 0], said, atol=1e-5)


def obeys(drawn: Case, advice: Advice, answer: Answer) -> None:
    assert answer.changes
    for change in answer.changes:
        before, after = change.before, change.after
        assert before == advice.given[change.column]
        assert after != before
        if change.column in drawn.levels:
            assert after in drawn.levels[change.column]
            assert change.column not in drawn.immutable
            assert change.by is None
        else:
            _number_obeys(drawn.numbers[change.column], before, after)


def _number_obeys(number: Number, before: float, after: float) -> None:
    low = -np.inf if number.low is None else number.low
    high = np.inf if number.high is None else number.high
    if number.kind != "free":  # who starts outside may come nearer
        low, high = min(low, before), max(high, before)
    assert low <= after <= high
    assert after > before or number.kind in ("free", "decrease")
    assert after < before or number.kind in ("free", "increase")
    if number.decimals is not None:
        # The shortest text of a float: what is printed has no more digits than these.
        exponent = Decimal(repr(after)).normalize().as_tuple().exponent
        assert -int(exponent) <= number.decimals
