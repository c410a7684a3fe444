"""Random tables with relations between their numbers, and what every answer obeys.

Each relation is said twice: as the text that is parsed, and as fractions that are held
against the shortest decimal texts of the values that are told, without any tolerance.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pandas as pd

from cftrain.advice.advice import Advice, advise
from cftrain.advice.answer import Answer
from cftrain.data.relations.declared import related
from cftrain.data.told import as_given
from cftrain.errors import ConfigError
from tests.torture import told_schemas
from tests.torture.told_schemas import Case

FACTORS = ("1", "1", "1", "-1", "2", "0.5", "-0.1", "3", "-2.5", "1e-2")
MOST_RELATIONS = 3


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The sum of factor * column is at most the bound."""

    factors: dict[str, Fraction]
    bound: Fraction
    text: str

    def holds(self, row: dict[str, float]) -> bool:
        total = sum(
            factor * Fraction(repr(row[name])) for name, factor in self.factors.items()
        )
        return total <= self.bound


def case(seed: int, rows: int) -> tuple[Case, list[Rule]]:
    """A table of told_schemas with up to three relations that something can obey."""
    drawn = told_schemas.case(seed, rows)
    rng = np.random.default_rng([seed, 7])
    kept: list[Rule] = []
    limits = drawn.advisor.constraints
    for _ in range(rng.integers(1, MOST_RELATIONS + 1)):
        rule = _rule(rng, drawn.rows[list(drawn.numbers)])
        try:
            limits = related(limits, [rule.text], drawn.advisor.codec, key="relations")
        except ConfigError:  # within the observed range nothing obeys it
            continue
        kept.append(rule)
    return replace(drawn, advisor=replace(drawn.advisor, constraints=limits)), kept


def _rule(rng: np.random.Generator, numbers: pd.DataFrame) -> Rule:
    """Between one and three columns; half of the rows or more obey it."""
    names = rng.permutation(list(numbers))[: rng.integers(1, 4)].tolist()
    texts = [str(rng.choice(FACTORS)) for _ in names]
    if len(names) == 2 and rng.random() < 0.4:
        texts = ["1", "-1"]
    factors = {n: Fraction(text) for n, text in zip(names, texts, strict=True)}
    sums = sum(numbers[name] * float(factor) for name, factor in factors.items())
    bound = f"{np.quantile(sums, rng.uniform(0.5, 1)):.{rng.integers(1, 6)}g}"
    left = " + ".join(
        f"{text} * `{n}`" if text[0] != "-" else f"{text[1:]} * `{n}`"
        for n, text in zip(names, texts, strict=True)
        if text[0] != "-"
    )
    taken = [
        f"{text[1:]} * `{n}`"
        for n, text in zip(names, texts, strict=True)
        if text[0] == "-"
    ]
    # What is taken away stands on the other side: a <= bound + b.
    right = " + ".join([bound, *taken]) if bound[0] != "-" else None
    if right is None:
        right = " + ".join([*taken, "0"]) + f" - {bound[1:]}"
    sides = (left or "0", right)
    text = f"{sides[0]} <= {sides[1]}"
    if rng.random() < 0.5:
        text = f"{sides[1]} >= {sides[0]}"
    return Rule(factors=factors, bound=Fraction(bound), text=text)


def check(seed: int, rows: int) -> tuple[int, int]:
    """Checks all answers for the rows of a table; how many there were, and how many of
    the rows that had none would have one without the relations.
    """
    drawn, rules = case(seed, rows)
    given = as_given(drawn.rows, drawn.advisor.codec)
    told = list(advise(drawn.advisor, given, target=None, count=2))
    answers = [(each, answer) for each in told for answer in each.answers]
    for each, answer in answers:
        told_schemas.obeys(drawn, each, answer)
        _related(rules, each, answer)
    if answers:
        told_schemas.hold(drawn.advisor, answers)
    lost = sum("would have to break" in (each.reason or "") for each in told)
    return len(answers), lost


def _related(rules: list[Rule], advice: Advice, answer: Answer) -> None:
    row = advice.given | {change.column: change.after for change in answer.changes}
    broken = [rule.text for rule in rules if not rule.holds(row)]
    assert broken == [], (row, advice.given)
