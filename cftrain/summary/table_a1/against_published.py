"""A grid's points, side by side with the published ones, and a grade for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import hypot
from typing import final

from cftrain.summary.naming import generator_name, objective_name
from cftrain.summary.reading.reader import Reader
from cftrain.summary.table_a1.pattern import checks
from cftrain.summary.table_a1.replication import (
    Effect,
    Effects,
    Key,
    Place,
    published_effects,
    replicate_deviation,
    shares_training,
    trained_effects,
)
from cftrain.summary.tables.layout import Layout
from cftrain.summary.tables.table import EMPTY, Entry, Head, Row, Table

GENERATORS = ("ecco", "generic", "revise")

GRADES = (
    "Grades: A where ours and the published value differ by at most one combined "
    "standard deviation, B by at most two, C by more; first by the standard deviations "
    "of the evaluation (±), then by those between replicates, where a point that is "
    "not trained twice by us counts with the published replicates only."
)

Summary = Callable[[Effects, str], Entry]


@final
@dataclass(frozen=True, kw_only=True)
class AgainstPublished(Layout):
    """Rows by threshold, energy weight and steps; for each generator ours, the
    published and the grade. The best generator of a row is marked.
    """

    name: str
    title: str
    caption: str
    grid: str
    dataset: str
    metric: str
    published: str

    def table(self, reader: Reader) -> Table:
        published = published_effects(reader.published / self.published)
        found = reader.points(self.grid, self.dataset)
        ours = trained_effects(reader, found.points, self.metric)
        heads = [
            Head(key=f"{name}{suffix}", group=generator_name(name), title=title)
            for name in GENERATORS
            for suffix, title in (
                ("", "ours"),
                ("_published", "published"),
                ("_grade", "grade"),
            )
        ]
        rows = [*_points(ours, published, reader), *_summaries(ours, published)]
        return Table(
            name=self.name,
            title=self.title,
            caption=self.caption,
            labels=("τ", "λ energy", "T"),
            heads=tuple(heads),
            rows=tuple(rows) if ours else (),
            notes=(
                GRADES,
                _sharing(ours),
                *map(str, checks(ours, published)),
                *([found.note] if found.note else []),
            ),
        )


def _points(ours: Effects, published: Effects, reader: Reader) -> list[Row]:
    rows = []
    for place in sorted({key.place for key in published}):
        labels = tuple(f"{number:g}" for number in place)
        entries = []
        for name in GENERATORS:
            key = Key(*place, name)
            entries += [
                _effect(ours, key, reader),
                _effect(published, key, None),
                _grade(ours, published, key),
            ]
        rows.append(Row(labels=labels, names=labels, entries=tuple(entries)))
    return rows


def _effect(effects: Effects, key: Key, reader: Reader | None) -> Entry:
    effect = effects.get(key)
    if effect is None:
        return EMPTY
    return Entry(
        value=effect.value,
        spread=effect.std,
        best=key.generator in _best(effects, key.place),
        trace=() if reader is None else _trace(effect, reader),
    )


def _trace(effect: Effect, reader: Reader) -> tuple[str, ...]:
    lines = [f"{effect.count} values: energy weights by rounds by training seeds"]
    for trial in effect.trials:
        for cell in (str(trial.baseline), trial.model):
            name = objective_name(reader.cell(cell)["objective"])
            file = reader.file("metrics", cell, trial.protocol)
            lines.append(f"{name}: cell {cell}, seed {trial.seed}, in {file}")
    return tuple(lines)


def _best(effects: Effects, place: Place) -> set[str]:
    """Generators with the largest value; several of them if they shared their
    training, none unless all have a value.
    """
    found = {name: effects.get(Key(*place, name)) for name in GENERATORS}
    values = {name: effect.value for name, effect in found.items() if effect}
    if len(values) < len(GENERATORS):
        return set()
    return {name for name in values if values[name] == max(values.values())}


def _grade(ours: Effects, published: Effects, key: Key) -> Entry:
    mine, theirs = ours.get(key), published.get(key)
    if mine is None or theirs is None:
        return EMPTY
    difference = abs(mine.value - theirs.value)
    replicates = [
        found[0] if (found := replicate_deviation(effects, key.generator)) else 0.0
        for effects in (ours, published)
    ]
    by_evaluation = grade(difference, hypot(mine.std, theirs.std))
    return Entry(text=f"{by_evaluation} {grade(difference, hypot(*replicates))}")


def grade(difference: float, deviation: float) -> str:
    """A within one combined standard deviation, B within two, else C."""
    if difference <= deviation:
        return "A"
    return "B" if difference <= 2 * deviation else "C"


def _summaries(ours: Effects, published: Effects) -> list[Row]:
    steps = sorted({key.max_steps for key in published})
    summaries: list[tuple[tuple[str, str, str], Summary]] = [
        (("mean", "", f"{count}"), partial(_mean, steps=count)) for count in steps
    ]
    summaries += [
        (("mean", "", ""), _mean),
        (("positive", "", ""), _positive),
        (("best", "", ""), _times_best),
        (("replicate sd", "", ""), _replicate),
    ]
    return [
        Row(
            labels=labels,
            names=labels,
            entries=tuple(
                entry
                for name in GENERATORS
                for entry in (
                    summary(ours, name),
                    summary(published, name),
                    Entry(text=""),
                )
            ),
            summary=True,
        )
        for labels, summary in summaries
    ]


def _values(effects: Effects, name: str, steps: int | None = None) -> list[float]:
    return [
        effect.value
        for key, effect in effects.items()
        if key.generator == name and steps in (None, key.max_steps)
    ]


def _mean(effects: Effects, name: str, steps: int | None = None) -> Entry:
    values = _values(effects, name, steps)
    return Entry(value=sum(values) / len(values)) if values else EMPTY


def _positive(effects: Effects, name: str) -> Entry:
    values = _values(effects, name)
    return _count([value > 0 for value in values])


def _times_best(effects: Effects, name: str) -> Entry:
    best = [_best(effects, place) for place in {key.place for key in effects}]
    return _count([name in found for found in best if found])


def _count(holds: Sequence[bool]) -> Entry:
    if not holds:
        return EMPTY
    return Entry(value=float(sum(holds)), text=f"{sum(holds)}/{len(holds)}")


def _replicate(effects: Effects, name: str) -> Entry:
    found = replicate_deviation(effects, name)
    return EMPTY if found is None else Entry(value=found[0])


def _sharing(ours: Effects) -> str:
    if shares_training(ours):
        return (
            "Points that must give the same numbers shared their training, and all "
            "their baseline: less noise than in the published table, and no replicates."
        )
    return "Every point has a model and a baseline of its own, as in the published one."
