"""`cftrain grid`: every point of a grid, on one core or on many ranks."""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cftrain.commands.best import answer
from cftrain.commands.command_line.cells import cells_told
from cftrain.commands.command_line.options import (
    Options,
    build,
    clamped,
    refuse_budget,
    save_configuration,
    typed_keys,
)
from cftrain.commands.command_line.recording import Recording, recording
from cftrain.commands.train import FAILED_CELLS
from cftrain.config.build import Built
from cftrain.config.identity import configured
from cftrain.config.ranges import Count
from cftrain.config.tree import groups, plain
from cftrain.errors import ConfigError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.coordinate import (
    Work,
    choose_device,
    failures,
    forget_interrupted,
    plan_work,
    remove_checkpoints,
)
from cftrain.grid.grid import Grid, Tuning
from cftrain.grid.launch import work_off
from cftrain.grid.launcher import launched, threads_each, workers_for
from cftrain.grid.plan import loads
from cftrain.grid.points import Point, described, points, wanted
from cftrain.grid.task import Task
from cftrain.grid.tasks import Wanted
from cftrain.grid.worker import Workplace
from cftrain.results.lock import at_work
from cftrain.results.log import Log
from cftrain.results.points import add_points
from cftrain.results.store import Store
from cftrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class GridOptions(Options):
    """How a grid is spread over workers."""

    grid: Grid
    workers: Count | None
    stack_width: Count | None
    dedupe: bool
    dry_run: bool
    retry: Literal["none", "failed"]


def run(config: DictConfig, executor: Executor | None = None) -> None:
    """Train and evaluate what is missing; SystemExit(1) if some cell failed."""
    _, options = build(clamped(plain(config), typed_keys())[0], GridOptions)
    refuse_budget(options)
    choose_device(options.device)
    if options.logger is not None:
        options.logger.check(typed_keys())
    workers = workers_for(options.device, options.workers, launched().size)
    store = Store(Path(HydraConfig.get().runtime.output_dir))
    guard = nullcontext() if options.dry_run else at_work(store.folder, "cftrain grid")
    with recording(Log(store.folder)) as said:
        made = grid_points(options)
        cells = wanted(made)
        with guard:
            work = plan_work(
                cells,
                store,
                overwrite=options.overwrite,
                retry=options.retry == "failed",
                most=options.stack_width,
                workers=workers,
            )
            baselines = sum(point.role == "baseline" for point in made)
            print(
                f"{len(made) - baselines} points and {baselines} baselines, "
                f"{_summary(cells, work, workers)}"
            )
            if options.dry_run:
                print(assignment(work.tasks, workers))
                return
            if options.overwrite:
                forget_interrupted(work, store)
            add_points(store.folder, _point_rows(options.grid.name, made))
            save_configuration(config, store.folder)
            lost = _worked_off(work, options, store, executor, said)
            remove_checkpoints(store)
            conclude(cells, store, lost, again="retry=failed repeats them")
            if isinstance(options.grid, Tuning):
                print(f"\n{answer(store.folder, metric=options.grid.best)}")


def _worked_off(
    work: Work,
    options: GridOptions,
    store: Store,
    executor: Executor | None,
    said: Recording,
) -> dict[str, str]:
    """The cells that failed, and why. Raises ResultError."""
    workers = workers_for(options.device, options.workers, launched().size)
    if work.tasks:
        said.begin("grid", HydraConfig.get().overrides.task)
    place = Workplace(
        folder=store.folder,
        name=options.name,
        device=options.device,
        logger=options.logger,
        threads=options.threads or threads_each(min(workers, len(work.tasks))),
    )
    total = sum(len(task.cells) for task in work.tasks)
    with cells_told("grid", total, said) as tell:
        return work_off(work.tasks, place, executor, workers=workers, on_outcome=tell)


def grid_points(options: GridOptions) -> list[Point]:
    """The points of the configured grid. Raises ConfigError."""
    given = list(HydraConfig.get().overrides.task)
    grid = options.grid
    axes = {*grid.axes, *grid.fixed, *grid.tied}
    twice = [word for word in given if word.lstrip("+~").split("=")[0] in axes]
    if twice:
        raise ConfigError(
            "expected no override of what the grid itself varies or fixes, got "
            f"{', '.join(twice)}; override grid.axes, grid.fixed or grid.tied instead"
        )

    bound = [word for word in given for axis in axes if f"${{{axis}}}" in word]
    if bound:
        raise ConfigError(
            "expected no value that follows an axis of the grid, which is set later, "
            f"got {', '.join(bound)}; use '+grid.tied={{key: axis}}' instead"
        )

    def composed(overrides: list[str]) -> dict[str, Any]:
        return plain(compose("grid", overrides=[*given, *overrides]))

    def built(values: dict[str, Any]) -> tuple[Run, Protocol]:
        varied = {*options.grid.axes, *options.grid.tied}
        values, found_notes = clamped(values, typed_keys() | varied)
        notes.update(dict.fromkeys(found_notes))
        # The grid itself is built already; it is long where an axis is.
        plain_values = {k: values[k] for k in values if k not in own}
        run, chosen = build(plain_values, Options, shared)
        return run, chosen.evaluation

    notes: dict[str, None] = {}
    shared: Built = {}
    own = set(configured(GridOptions)) - set(configured(Options))
    found = described(options.grid, groups(), composed, built)
    for note in notes:
        print(note)
    return points(found, options.compare, dedupe=options.dedupe)


def assignment(tasks: Sequence[Task], workers: int) -> str:
    """What each worker would do, and how even that is."""
    if not tasks:
        return "nothing to do"
    busy = [seconds for seconds in loads(tasks, workers) if seconds > 0]
    mean = sum(busy) / len(busy)
    longest = max(busy)
    lines = [f"  stack {task.id}: {_described(task)}" for task in tasks]
    lines.append(
        f"estimate: {sum(busy):.0f} s of work, {longest:.0f} s on {workers} workers; "
        f"{len(busy)} of them get work, imbalance {100 * (longest / mean - 1):.0f} %"
    )
    return "\n".join(lines)


def conclude(
    cells: Sequence[Wanted], store: Store, lost: Mapping[str, str], *, again: str
) -> None:
    """Say how it went and how to try `again`; SystemExit(1) if some cell failed, now
    (`lost`) or earlier.
    """
    noted = failures(cells, store)
    unnoted = set(lost) - set(noted)
    lost = {**noted, **lost}
    print(f"{len(cells) - len(lost)} of {len(cells)} cells done: {store.folder}")
    if lost:
        for cell, reason in list(lost.items())[:10]:
            print(f"failed: cell {cell}: {reason}", file=sys.stderr)
        if noted:
            print(
                f"{len(noted)} cells failed; {again}, cftrain status {store.folder} "
                "lists them",
                file=sys.stderr,
            )
        if unnoted:
            print(
                f"{len(unnoted)} cells could not be done here; the same command tries "
                "them again",
                file=sys.stderr,
            )
        raise SystemExit(FAILED_CELLS)


def _summary(cells: Sequence[Wanted], work: Work, workers: int) -> str:
    widest = max((len(task.cells) for task in work.tasks), default=0)
    trained = len(cells) - len(work.untrained)
    return (
        f"{len(cells)} distinct cells, {trained} of them trained; "
        f"{len(work.untrained)} to train and {len(work.lacking)} to evaluate in "
        f"{len(work.tasks)} stacks of at most {widest} cells on {workers} workers"
    )


def _described(task: Task) -> str:
    run = task.cells[0].run
    what = f"{run.generator.name}, at most {run.search.max_steps} steps"
    if not task.train:
        what = "evaluation only"
    return (
        f"{len(task.cells)} cells of {run.data.name}, {what}, about "
        f"{task.seconds:.0f} s"
    )


def _point_rows(grid: str, made: list[Point]) -> list[dict[str, Any]]:
    return [
        {
            "grid": grid,
            "point": point.number,
            "coordinates": point.coordinates,
            "role": point.role,
            "cell": point.cell.id,
        }
        for point in made
    ]
