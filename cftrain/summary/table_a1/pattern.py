"""What of the draft's Table A1 can be asked of a reproduction, judged on ours."""

from collections.abc import Callable
from dataclasses import dataclass

from scipy import stats

from cftrain.summary.naming import generator_name
from cftrain.summary.table_a1.replication import Effects, Key, replicate_deviation

LONG = 25
"""From so many steps on the published grid shows an effect."""

SIGNIFICANCE = 0.05


@dataclass(frozen=True, kw_only=True)
class Check:
    """A statement, whether it holds (None: cannot be judged), and the numbers."""

    statement: str
    holds: bool | None
    numbers: str

    def __str__(self) -> str:
        outcome = {True: "met", False: "not met", None: "cannot be judged"}[self.holds]
        return f"{outcome}: {self.statement}. {self.numbers}"


def checks(ours: Effects, published: Effects) -> tuple[Check, ...]:
    """The five statements that the published table supports beyond its noise."""
    return (
        _in_range(
            ours,
            published,
            "(i) ECCo and Generic reduce IP by 5 to 30 % on average for T ≥ 25",
            ("ecco", "generic"),
            lambda key: key.max_steps >= LONG,
            (5, 30),
        ),
        _in_range(
            ours,
            published,
            "(ii) REVISE increases IP by 20 to 75 % on average",
            ("revise",),
            lambda key: True,
            (-75, -20),
        ),
        _in_range(
            ours,
            published,
            "(iii) T = 5 changes IP by less than 10 % on average",
            ("ecco", "generic"),
            lambda key: key.max_steps < LONG,
            (-10, 10),
        ),
        _no_effect_of_energy_weight(ours, published),
        _replicates(ours, published),
    )


def _in_range(
    ours: Effects,
    published: Effects,
    statement: str,
    generators: tuple[str, ...],
    chosen: Callable[[Key], bool],
    limits: tuple[float, float],
) -> Check:
    """Whether the means of all generators lie within limits."""
    means, numbers = [], []
    for generator in generators:
        keys = [key for key in published if key.generator == generator and chosen(key)]
        if not set(keys) <= set(ours):
            absent = len(set(keys) - set(ours))
            return _unjudged(statement, f"{absent} of {len(keys)} points are missing")
        mean = sum(ours[key].value for key in keys) / len(keys)
        theirs = sum(published[key].value for key in keys) / len(keys)
        means.append(mean)
        numbers.append(
            f"{generator_name(generator)} {mean:.1f} (published {theirs:.1f})"
        )
    low, high = limits
    return Check(
        statement=statement,
        holds=all(low <= mean <= high for mean in means),
        numbers=", ".join(numbers),
    )


def _no_effect_of_energy_weight(ours: Effects, published: Effects) -> Check:
    """Friedman's test of ECCo's energy weights, blocked by threshold and steps."""
    statement = "(iv) the energy weight has no clear effect (ECCo, T ≥ 25)"
    keys = [k for k in published if k.generator == "ecco" and k.max_steps >= LONG]
    if not set(keys) <= set(ours):
        absent = len(set(keys) - set(ours))
        return _unjudged(statement, f"{absent} of {len(keys)} points are missing")
    weights = sorted({key.energy_weight for key in keys})
    columns = [
        [ours[key].value for key in sorted(keys) if key.energy_weight == weight]
        for weight in weights
    ]
    test = stats.friedmanchisquare(*columns)
    means = ", ".join(
        f"{sum(column) / len(column):.1f} at {weight:g}"
        for weight, column in zip(weights, columns, strict=True)
    )
    return Check(
        statement=statement,
        holds=bool(test.pvalue >= SIGNIFICANCE),
        numbers=f"means {means}; Friedman's test p = {test.pvalue:.3f}",
    )


def _replicates(ours: Effects, published: Effects) -> Check:
    statement = (
        "(v) points that differ in nothing but their draws differ by a standard "
        "deviation of half to twice the published one"
    )
    numbers, held = [], []
    for generator in ("ecco", "generic", "revise"):
        found = replicate_deviation(ours, generator)
        theirs = replicate_deviation(published, generator)
        if found is None or theirs is None:
            return _unjudged(
                statement, "it needs replicates, each with its own training"
            )
        held.append(theirs[0] / 2 <= found[0] <= 2 * theirs[0])
        numbers.append(
            f"{generator_name(generator)} {found[0]:.1f} (published {theirs[0]:.1f})"
        )
    return Check(statement=statement, holds=all(held), numbers=", ".join(numbers))


def _unjudged(statement: str, why: str) -> Check:
    return Check(statement=statement, holds=None, numbers=why)
