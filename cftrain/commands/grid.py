"""`cftrain grid`: every point of a grid, on one core or on many ranks."""

import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from cftrain.commands.options import Options, build
from cftrain.commands.train import choose_device
from cftrain.config.ranges import Count
from cftrain.config.tree import folder, plain
from cftrain.errors import ConfigError
from cftrain.grid.cells import Cell
from cftrain.grid.grid import Grid
from cftrain.grid.launch import Task, launch
from cftrain.grid.launcher import launched, workers_for
from cftrain.grid.plan import Stack, loads, plan
from cftrain.grid.points import Point, points, runs
from cftrain.grid.processes import local_workers
from cftrain.grid.worker import checkpoint_of
from cftrain.results.points import save_points
from cftrain.results.store import Store
from cftrain.training.run import Run

FAILED_CELLS = 1
"""Exit code of a grid in which some cell failed."""


@dataclass(frozen=True, kw_only=True)
class GridSettings(Options):
    """How a grid is spread over workers."""

    grid: Grid
    workers: Count | None
    stack_width: Count | None
    dedupe: bool
    dry_run: bool
    retry: Literal["none", "failed"]


def run(config: DictConfig, executor: Executor | None = None) -> None:
    """Train and evaluate what is missing; SystemExit(1) if some cell failed."""
    _, settings = build(plain(config), GridSettings)
    choose_device(settings.device)
    store = Store(Path(HydraConfig.get().runtime.output_dir))
    made = grid_points(settings)
    cells = list({point.cell.id: point.cell for point in made}.values())
    missing = _missing(cells, store, settings)
    size = launched().size if executor else 1
    workers = workers_for(settings.device, settings.workers, size)
    stacks = plan(
        missing,
        features=_features(missing),
        width=settings.stack_width,
        workers=workers,
    )
    print(_summary(made, cells, missing, stacks, workers))
    if settings.dry_run:
        print(_assignment(stacks, workers))
        return
    store.prepare()
    save_points(store.folder, _point_rows(settings.grid.name, made))
    OmegaConf.save(config, store.folder / "config.yaml", resolve=True)
    if settings.overwrite:
        for stack in stacks:
            checkpoint_of(stack.id, store).remove()
    tasks = [
        Task(
            stack=stack,
            folder=store.folder,
            name=settings.name,
            device=settings.device,
        )
        for stack in stacks
    ]
    here = local_workers(min(workers, max(1, len(tasks))))
    with nullcontext(executor) if executor else here as pool:
        _work(tasks, pool, len(missing))
    _conclude(cells, store)


def grid_points(settings: GridSettings) -> list[Point]:
    """The points of the configured grid. Raises ConfigError."""
    groups = {path.name for path in folder().iterdir() if path.is_dir()}
    given = list(HydraConfig.get().overrides.task)
    axes = {*settings.grid.axes, *settings.grid.setting}
    twice = [word for word in given if word.lstrip("+~").split("=")[0] in axes]
    if twice:
        raise ConfigError(
            "expected no override of what the grid itself varies or sets, got "
            f"{', '.join(twice)}; override grid.axes or grid.setting instead"
        )

    def composed(overrides: list[str]) -> dict[str, Any]:
        return plain(compose("grid", overrides=[*given, *overrides]))

    def built(values: dict[str, Any]) -> Run:
        return build(values, GridSettings)[0]

    described = runs(settings.grid, groups, composed, built)
    return points(described, settings.compare, dedupe=settings.dedupe)


def _missing(cells: list[Cell], store: Store, settings: GridSettings) -> list[Cell]:
    if settings.overwrite or not store.folder.is_dir():
        return cells
    settled = store.done()
    if settings.retry == "none":
        settled |= set(store.failed())
    return [cell for cell in cells if cell.id not in settled]


def _features(cells: Sequence[Cell]) -> dict[str, int]:
    """Width of every dataset that is needed."""
    specs = {cell.run.data.name: cell.run.data for cell in cells}
    return {name: spec.load().feature_count for name, spec in specs.items()}


def _summary(
    made: list[Point],
    cells: list[Cell],
    missing: list[Cell],
    stacks: list[Stack],
    workers: int,
) -> str:
    widest = max((len(stack.cells) for stack in stacks), default=0)
    return (
        f"{len(made)} points with baselines, {len(cells)} distinct cells, "
        f"{len(cells) - len(missing)} of them finished; {len(missing)} to do in "
        f"{len(stacks)} stacks of at most {widest} cells on {workers} workers"
    )


def _assignment(stacks: list[Stack], workers: int) -> str:
    """What each worker would do, and how even that is."""
    if not stacks:
        return "nothing to do"
    busy = [seconds for seconds in loads(stacks, workers) if seconds > 0]
    mean = sum(busy) / len(busy)
    longest = max(busy)
    lines = [
        f"  stack {stack.id}: {len(stack.cells)} cells of {run.data.name}, "
        f"{run.generator.name}, at most {run.search.max_steps} steps, about "
        f"{stack.seconds:.0f} s"
        for stack, run in ((stack, stack.cells[0].run) for stack in stacks)
    ]
    lines.append(
        f"estimate: {sum(busy):.0f} s of work, {longest:.0f} s on {workers} workers; "
        f"{len(busy)} of them get work, imbalance {100 * (longest / mean - 1):.0f} %"
    )
    return "\n".join(lines)


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


def _work(tasks: list[Task], pool: Executor | None, cells: int) -> None:
    failed = 0
    with tqdm(total=cells, unit="cell", file=sys.stderr, disable=None) as bar:
        for outcome in launch(tasks, pool):
            failed += len(outcome.failed)
            bar.update(outcome.done + len(outcome.failed))
            bar.set_postfix(failed=failed)


def _conclude(cells: list[Cell], store: Store) -> None:
    """Say how it went; SystemExit(1) if some cell of the grid has failed."""
    failed = store.failed()
    lost = {cell.id: failed[cell.id] for cell in cells if cell.id in failed}
    print(f"{len(cells) - len(lost)} of {len(cells)} cells done: {store.folder}")
    if lost:
        for cell, reason in list(lost.items())[:10]:
            print(f"failed: cell {cell}: {reason}", file=sys.stderr)
        print(
            f"{len(lost)} cells failed; retry=failed repeats them, "
            f"cftrain status {store.folder} lists them",
            file=sys.stderr,
        )
        raise SystemExit(FAILED_CELLS)
