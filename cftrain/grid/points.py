"""From a grid to its points, and from points to the cells that serve them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from cftrain.config.identity import Known, describe
from cftrain.errors import ConfigError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, cell, protocol_id
from cftrain.grid.grid import Grid
from cftrain.grid.tasks import Wanted
from cftrain.objectives.objective import Objective
from cftrain.results.leaves import value_at
from cftrain.training.run import Run

Coordinates = dict[str, Any]
Compose = Callable[[list[str]], dict[str, Any]]
"""Plain values of the configuration composed with some overrides."""

REPLICATE_STRIDE = 1_000_003
"""Between the seeds of replicates, so that they do not meet those of a seed axis."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One combination of the axes' values, its cell and how that is evaluated.

    Its `role` is model, or baseline for the twin that the model is compared with.
    """

    number: int
    coordinates: Coordinates
    role: str
    cell: Cell
    protocol: Protocol


def combinations(grid: Grid) -> Iterator[Coordinates]:
    """All points in order; axes that do not exist for a point are None in it."""
    seen = set()
    for values in product(*grid.axes.values()):
        point = dict(zip(grid.axes, values, strict=True))
        for axis, conditions in grid.only_with.items():
            if any(point[key] not in allowed for key, allowed in conditions.items()):
                point[axis] = None
        key = repr(point)
        if key not in seen:
            seen.add(key)
            yield point


@dataclass(frozen=True, kw_only=True)
class Described:
    """What one combination of the axes' values asks for."""

    coordinates: Coordinates
    run: Run
    protocol: Protocol


def described(
    grid: Grid,
    groups: set[str],
    compose: Compose,
    build: Callable[[Any], tuple[Run, Protocol]],
) -> list[Described]:
    """Run and protocol of every point. Raises ConfigError with the mistakes of all.

    Groups are composed, once per combination; other keys are set in the composed
    values, tied ones last. A key that a point's choices do not have has no effect
    there, but some point must have it.
    """
    composed: dict[str, dict[str, Any]] = {}
    protocols: dict[str, Protocol] = {}
    found, mistakes = [], []
    unknown = {*grid.axes, *grid.fixed, *grid.tied, *grid.set_along} - groups
    for coordinates in combinations(grid):
        chosen = grid.chosen(coordinates)
        overrides = _options(chosen, groups)
        if repr(overrides) not in composed:
            composed[repr(overrides)] = compose(overrides)
        values = composed[repr(overrides)]
        for key, value in chosen.items():
            if key not in groups and _has(values, key):
                unknown.discard(key)
                values = _with(values, key.split("."), value)
        unknown -= {key for key in grid.tied if _has(values, key)}
        values = _tied(values, grid.tied)
        try:
            run, protocol = build(values)
        except ConfigError as error:
            mistakes += [m for m in error.mistakes if m not in mistakes]
            continue
        protocol = protocols.setdefault(repr(values.get("evaluation")), protocol)
        found.append(Described(coordinates=coordinates, run=run, protocol=protocol))
    mistakes += [
        f"grid.axes: expected keys or groups of the configuration, got {key!r}"
        for key in sorted(unknown)
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return found


def _options(chosen: Mapping[str, Any], groups: set[str]) -> list[str]:
    """The values of groups as overrides."""
    return [f"{key}={value}" for key, value in chosen.items() if key in groups]


def points(
    found: Sequence[Described], baseline: Objective | None, *, dedupe: bool
) -> list[Point]:
    """The cell of every point, and that of its baseline.

    Points whose runs do the same, whatever their ineffective settings, share one cell,
    or with `dedupe` off are replicates of it with seeds of their own.
    """
    data: dict[str, str] = {}
    first: dict[str, Cell] = {}
    replicates: Counter[str] = Counter()
    known: Known = {}
    made = []

    def cell_of(run: Run, whole: dict[str, Any]) -> Cell:
        specification = repr(whole["data"])
        if specification not in data:
            data[specification] = run.data.identity()
        return cell(run, data[specification], whole)

    for number, each, role, run in _with_baselines(found, baseline):
        whole = describe(run, known=known)
        identity = repr(effective(run, whole))
        if identity not in first:
            first[identity] = cell_of(run, whole)
        chosen = first[identity]
        replicate = 0 if dedupe else replicates[identity]
        if replicate:
            run = chosen.run
            run = replace(run, seed=run.seed + replicate * REPLICATE_STRIDE)
            chosen = cell_of(run, describe(run))
        replicates[identity] += 1
        made.append(
            Point(
                number=number,
                coordinates=each.coordinates,
                role=role,
                cell=chosen,
                protocol=each.protocol,
            )
        )
    return made


def wanted(made: Sequence[Point]) -> list[Wanted]:
    """The distinct cells of some points, each with all protocols of its points."""
    found: dict[str, Wanted] = {}
    names: dict[int, str] = {}
    for point in made:
        each = found.setdefault(point.cell.id, Wanted(cell=point.cell, protocols={}))
        place = id(point.protocol)  # alive as long as its point
        if place not in names:
            names[place] = protocol_id(point.protocol)
        each.protocols[names[place]] = point.protocol
    return list(found.values())


def _with_baselines(
    found: Sequence[Described], baseline: Objective | None
) -> Iterator[tuple[int, Described, str, Run]]:
    """The models and their twins; what is explained by a model's own head has none."""
    for number, each in enumerate(found):
        yield number, each, "model", each.run
        if baseline is not None and not each.protocol.generator.asks_head:
            weights = each.run.objective.class_weights  # an axis perhaps
            twin = replace(baseline, class_weights=weights)
            yield number, each, "baseline", replace(each.run, objective=twin)


def effective(run: Run, described: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A run's description, which may be given, without what cannot change numbers."""
    kept = dict(described or describe(run))
    kept["objective"] = _without(kept["objective"], run.objective.without_effect)
    if not run.objective.needs_counterfactuals:
        for key in ("generator", "maturity", "search", "categories"):
            del kept[key]
        unused = ("counterfactuals", "burn_in")
        kept["schedule"] = _without(kept["schedule"], unused)
        return kept
    ineffective = run.generator.ineffective(run.search.max_steps)
    kept["generator"] = _without(kept["generator"], ineffective)
    return kept


def _without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


def _tied(values: dict[str, Any], tied: Mapping[str, str]) -> dict[str, Any]:
    """The values with every tied key at the value of the key that it follows."""
    for key, source in tied.items():
        if _has(values, key):
            value = value_at(values, source, _ABSENT)
            if value is _ABSENT:
                raise ConfigError(
                    f"grid.tied.{key}: expected a key of the configuration, got "
                    f"{source!r}"
                )
            values = _with(values, key.split("."), value)
    return values


_ABSENT = object()


def _has(values: Any, key: str) -> bool:
    return value_at(values, key, _ABSENT) is not _ABSENT


def _with(values: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """The values with one of them replaced; the original stays as it is."""
    head, *rest = path
    return {**values, head: _with(values[head], rest, value) if rest else value}
