"""Table A1's REVISE over several autoencoders: how much one fit of them matters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from cftrain.summary.reading.reader import Reader
from cftrain.summary.reading.selection import Point
from cftrain.summary.statistics.intervals import INTERVALS, deviation
from cftrain.summary.table_a1.replication import (
    AXES,
    Effects,
    published_effects,
    reductions,
)
from cftrain.summary.tables.layout import Layout
from cftrain.summary.tables.quantity import IntervalName
from cftrain.summary.tables.sample import Answers
from cftrain.summary.tables.table import EMPTY, Entry, Head, Row, Table

GENERATOR = "revise"


@final
@dataclass(frozen=True, kw_only=True)
class ReviseOverVaes(Layout):
    """A line for each autoencoder, the mean over its points, and below them mean and
    standard deviation over the autoencoders, and the published mean.

    `axis` is the grid's axis that numbers the autoencoders.
    """

    name: str
    title: str
    caption: str
    grid: str
    dataset: str
    metric: str
    axis: str
    interval: IntervalName
    published: str

    def table(self, reader: Reader) -> Table:
        found = reader.points(self.grid, self.dataset)
        means = self._means(reader, found.points)
        rows = [_line(number, values) for number, values in sorted(means.items())]
        if rows:
            published = published_effects(reader.published / self.published)
            theirs = _published(
                published, [point.coordinates for point in found.points]
            )
            rows += [*self._summaries(means), *theirs]
        return Table(
            name=self.name,
            title=self.title,
            caption=self.caption,
            labels=("VAE seed",),
            heads=(
                Head(key="reduction", group="", title="reduction of IP (%)"),
                Head(key="deviation", group="", title="sd between points"),
                Head(key="points", group="", title="points"),
            ),
            rows=tuple(rows),
            notes=() if found.note is None else (found.note,),
        )

    def _means(
        self, reader: Reader, points: Sequence[Point]
    ) -> Mapping[int, list[float]]:
        """The mean reduction of every point with values, by autoencoder."""
        means: dict[int, list[float]] = {}
        for point in points:
            values = reductions(reader, point.trial, self.metric)
            if values and self.axis in point.coordinates:
                number = int(point.coordinates[self.axis])
                means.setdefault(number, []).append(sum(values) / len(values))
        return means

    def _summaries(self, means: Mapping[int, list[float]]) -> list[Row]:
        ordered = dict(sorted(means.items()))
        answers = Answers(
            seeds=tuple(ordered),
            values=tuple(sum(values) / len(values) for values in ordered.values()),
            missing=None,
        )
        return [
            _summary("mean", _mean(answers, self.interval)),
            _summary("sd", _deviation(answers)),
        ]


def _line(number: int, values: list[float]) -> Row:
    spread = deviation(values)
    return Row(
        labels=(str(number),),
        names=(str(number),),
        entries=(
            Entry(
                value=sum(values) / len(values),
                trace=("by point: " + ", ".join(f"{value:.6g}" for value in values),),
            ),
            EMPTY if spread is None else Entry(value=spread),
            Entry(value=float(len(values)), text=str(len(values))),
        ),
    )


def _mean(answers: Answers[float], interval: IntervalName) -> Entry:
    values = answers.values
    trace = (f"by VAE: {answers.of(values)}",)
    if len(values) < 2:
        return Entry(value=values[0], note="one autoencoder only", trace=trace)
    found = INTERVALS[interval](values)
    return Entry(
        value=found.centre,
        low=found.low,
        high=found.high,
        note=f"n={len(values)} autoencoders, 95 % interval over them",
        trace=trace,
    )


def _deviation(answers: Answers[float]) -> Entry:
    spread = deviation(answers.values)
    return EMPTY if spread is None else Entry(value=spread)


def _published(
    published: Effects, coordinates: Sequence[Mapping[str, Any]]
) -> list[Row]:
    """The mean of the published points with our thresholds and steps, if there are."""
    ours = {
        (point.get(AXES["decision_threshold"]), point.get(AXES["max_iter"]))
        for point in coordinates
    }
    values = [
        effect.value
        for key, effect in published.items()
        if key.generator == GENERATOR and (key.threshold, key.max_steps) in ours
    ]
    if not values:
        return []
    spread = deviation(values)
    return [
        Row(
            labels=("published",),
            names=("published",),
            entries=(
                Entry(value=sum(values) / len(values)),
                EMPTY if spread is None else Entry(value=spread),
                Entry(value=float(len(values)), text=str(len(values))),
            ),
            summary=True,
        )
    ]


def _summary(name: str, entry: Entry) -> Row:
    return Row(
        labels=(name,), names=(name,), entries=(entry, EMPTY, EMPTY), summary=True
    )
