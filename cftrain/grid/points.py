"""From a grid to its points, and from points to the cells that serve them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from cftrain.config.identity import describe
from cftrain.errors import ConfigError
from cftrain.grid.cells import Cell, cell
from cftrain.grid.grid import Grid
from cftrain.objectives.objective import Objective
from cftrain.training.run import Run

Coordinates = dict[str, Any]
Compose = Callable[[list[str]], dict[str, Any]]
"""Plain values of the configuration composed with some overrides."""

REPLICATE_STRIDE = 1_000_003
"""Between the seeds of replicates, so that they do not meet those of a seed axis."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One combination of the axes' values, and the cell that serves it.

    Its `role` is model, or baseline for the twin that the model is compared with.
    """

    number: int
    coordinates: Coordinates
    role: str
    cell: Cell


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


def runs(
    grid: Grid, groups: set[str], compose: Compose, build: Callable[[Any], Run]
) -> list[tuple[Coordinates, Run]]:
    """The run of every point. Raises ConfigError with the mistakes of all points.

    Groups are composed, once per combination; other keys are set in the composed
    values. A key that a point's choices do not have has no effect there, but some
    point must have it.
    """
    composed: dict[str, dict[str, Any]] = {}
    described, mistakes = [], []
    unknown = {key for key in (*grid.axes, *grid.setting) if key not in groups}
    for coordinates in combinations(grid):
        chosen = {**grid.setting, **coordinates}
        overrides = [
            f"{'+' if key == 'experiment' else ''}{key}={value}"
            for key, value in chosen.items()
            if key in groups and value is not None
        ]
        if repr(overrides) not in composed:
            composed[repr(overrides)] = compose(overrides)
        values = composed[repr(overrides)]
        for key, value in chosen.items():
            if key not in groups and value is not None and _has(values, key):
                unknown.discard(key)
                values = _with(values, key.split("."), value)
        try:
            described.append((coordinates, build(values)))
        except ConfigError as error:
            mistakes += [m for m in error.mistakes if m not in mistakes]
    mistakes += [
        f"grid.axes: expected keys or groups of the configuration, got {key!r}"
        for key in sorted(unknown)
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return described


def points(
    described: Sequence[tuple[Coordinates, Run]],
    baseline: Objective | None,
    *,
    dedupe: bool,
) -> list[Point]:
    """The cell of every point, and that of its baseline.

    Points whose runs do the same, whatever their ineffective settings, share one cell,
    or with `dedupe` off are replicates of it with seeds of their own.
    """
    sources: dict[str, str] = {}
    first: dict[str, Run] = {}
    replicates: dict[str, int] = {}
    made = []
    for number, coordinates, role, run in _with_baselines(described, baseline):
        identity = repr(effective(run))
        run = first.setdefault(identity, run)
        if not dedupe:
            replicate = replicates.get(identity, 0)
            replicates[identity] = replicate + 1
            run = replace(run, seed=run.seed + replicate * REPLICATE_STRIDE)
        data = repr(describe(run.data))
        if data not in sources:
            sources[data] = run.data.identity()
        made.append(
            Point(
                number=number,
                coordinates=coordinates,
                role=role,
                cell=cell(run, sources[data]),
            )
        )
    return made


def _with_baselines(
    described: Sequence[tuple[Coordinates, Run]], baseline: Objective | None
) -> Iterator[tuple[int, Coordinates, str, Run]]:
    for number, (coordinates, run) in enumerate(described):
        yield number, coordinates, "model", run
        if baseline is not None:
            twin = replace(run, objective=baseline)
            yield number, coordinates, "baseline", twin


def effective(run: Run) -> dict[str, Any]:
    """A run's description without what cannot change its numbers."""
    described: dict[str, Any] = describe(run)
    if not run.objective.needs_counterfactuals:
        for key in ("generator", "maturity", "search", "categories"):
            del described[key]
        for key in ("counterfactuals", "burn_in"):
            del described["schedule"][key]
        described["objective"] = {"class_weight": run.objective.class_weight}
        return described
    for field in run.generator.ineffective(run.search.max_steps):
        del described["generator"][field]
    return described


def _has(values: Any, key: str) -> bool:
    for name in key.split("."):
        if not isinstance(values, dict) or name not in values:
            return False
        values = values[name]
    return True


def _with(values: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """The values with one of them replaced; the original stays as it is."""
    head, *rest = path
    return {**values, head: _with(values[head], rest, value) if rest else value}
