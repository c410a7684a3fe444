"""`cftrain evaluate FOLDER`: measure stored models anew, without training anything."""

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cftrain.commands.command_line.cells import cells_told
from cftrain.commands.command_line.recording import recording
from cftrain.commands.grid import assignment, conclude
from cftrain.config.build import build_object
from cftrain.config.ranges import Count
from cftrain.config.tree import plain
from cftrain.errors import ConfigError, ResultError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import protocol_id
from cftrain.grid.changed_protocol import GROUP, changed_protocol, names_protocol
from cftrain.grid.coordinate import choose_device, plan_work, remove_checkpoints
from cftrain.grid.launch import work_off
from cftrain.grid.launcher import launched, workers_for
from cftrain.grid.stored import newest_evaluations, stored_cells
from cftrain.grid.tasks import Wanted
from cftrain.grid.worker import Workplace
from cftrain.results.described import described
from cftrain.results.lock import at_work
from cftrain.results.log import Log
from cftrain.results.store import Store


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Which models are evaluated, how, and by whom; `evaluation` None: each as before,
    but for what was typed.
    """

    folder: str
    datasets: tuple[str, ...] | None
    evaluation: Protocol | None
    device: Literal["cpu", "cuda"]
    workers: Count | None
    stack_width: Count | None
    dry_run: bool
    overwrite: bool


def run(config: DictConfig, executor: Executor | None = None) -> None:
    """Evaluate what is missing; SystemExit(1) if that failed for some cell."""
    values = plain(config)
    typed = list(HydraConfig.get().overrides.task)
    named = {} if names_protocol(typed) else {GROUP: None}
    options = build_object({**values, **named}, EvaluateOptions, "evaluate")
    if not Path(options.folder).is_dir():
        raise ConfigError(
            f"{options.folder}: expected a folder with trained models, got none"
        )
    choose_device(options.device)
    workers = workers_for(options.device, options.workers, launched().size)
    store = Store(Path(options.folder))
    cells = wanted(store, options.datasets, options.evaluation, values[GROUP], typed)
    dry = options.dry_run
    guard = nullcontext() if dry else at_work(store.folder, "cftrain evaluate")
    with recording(Log(store.folder)) as said, guard:
        work = plan_work(
            cells,
            store,
            overwrite=False,
            retry=True,
            most=options.stack_width,
            workers=workers,
            evaluate_again=options.overwrite,
            train=False,
        )
        print(
            f"{len(cells)} trained cells; {len(work.lacking)} to evaluate in "
            f"{len(work.tasks)} stacks on {workers} workers"
        )
        if dry:
            print(assignment(work.tasks, workers))
            return
        if work.tasks:
            said.begin("evaluate", typed)
        place = Workplace(folder=store.folder, name="evaluate", device=options.device)
        total = sum(len(task.cells) for task in work.tasks)
        with cells_told("evaluate", total, said) as tell:
            lost = work_off(
                work.tasks, place, executor, workers=workers, on_outcome=tell
            )
        remove_checkpoints(store)
        conclude(cells, store, lost, again="the same command repeats them")


def wanted(
    store: Store,
    datasets: Sequence[str] | None,
    chosen: Protocol | None,
    composed: dict[str, Any],
    typed: Sequence[str],
) -> list[Wanted]:
    """Every finished cell on some datasets, or on all, with its protocol.

    That is the chosen one, or if there is none the cell's own newest one, with what was
    typed in the place of its own; `composed` has the values of options of groups.
    Raises ResultError if there is nothing to evaluate, ConfigError for bad values.
    """
    rows = store.cells()
    rows = rows[rows["status"] == "done"]
    known = sorted(set(rows["data"]))
    if datasets is not None:
        rows = rows[rows["data"].isin(datasets)]
    if rows.empty:
        raise ResultError(
            f"{store.folder}: expected trained models of {listed(datasets)}, got "
            f"those of {listed(known)}"
        )
    cells = stored_cells(rows)
    if chosen is not None:
        protocols = {protocol_id(chosen): chosen}
        return [Wanted(cell=cell, protocols=protocols) for cell in cells]
    newest = newest_evaluations(store, rows["cell"]).set_index("cell")["protocol"]
    bare = [cell.id for cell in cells if cell.id not in newest.index]
    if bare:
        raise ResultError(
            f"{store.folder}: expected models that were evaluated before, got "
            f"{len(bare)} that were not; say how, as in evaluation=tabular"
        )
    texts = store.protocols()
    changed = {
        name: changed_protocol(described(texts.get(name), name), composed, typed)
        for name in newest.unique()
    }
    found = []
    for cell in cells:
        protocol = changed[newest[cell.id]]
        found.append(Wanted(cell=cell, protocols={protocol_id(protocol): protocol}))
    return found


def listed(names: Sequence[str] | None) -> str:
    """Names in a message."""
    if names is None:
        return "any dataset"
    return ", ".join(names) or "none"
