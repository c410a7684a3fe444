"""`cftrain train`: a model and its baseline, from data to table and picture."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cftrain.commands.command_line.budgeted import chosen, tried
from cftrain.commands.command_line.optimized import check_optimized, optimized
from cftrain.commands.command_line.options import (
    Options,
    read,
    save_configuration,
    typed_keys,
)
from cftrain.commands.command_line.progress import Progress
from cftrain.commands.command_line.recording import Recording, recording
from cftrain.cores import available
from cftrain.errors import ConfigError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, cell, protocol_id
from cftrain.grid.coordinate import (
    choose_device,
    failures,
    forget_interrupted,
    plan_work,
    remove_checkpoints,
)
from cftrain.grid.faults.attempts import limits, marks
from cftrain.grid.task import Task, narrowed
from cftrain.grid.tasks import Wanted
from cftrain.grid.worker import Data, Outcome, Workplace, perform
from cftrain.results.budget.table import load_budgets
from cftrain.results.lock import at_work
from cftrain.results.log import Log
from cftrain.results.store import Store
from cftrain.summary.budget import budget_of, budget_told
from cftrain.summary.naming import objective_name
from cftrain.summary.report import report
from cftrain.training.run import Run

FAILED_CELLS = 1
"""Exit code of a command some of whose cells failed."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a training has left in its store.

    `cells` are the ids of the model and, if there is one, of its twin; with a budget
    that kept the twin itself, of this one. `lost` are those that failed just now,
    `noted` those that the store says have failed, each with why. `options` are those
    of the command.
    """

    options: Options
    store: Store
    cells: tuple[str, ...]
    protocol: str
    lost: dict[str, str]
    noted: Mapping[str, str]


def run(config: DictConfig) -> float | list[float] | None:
    """Train and evaluate what is missing, then show everything that was asked for.

    Returns what a sweep optimises, None if that is nothing. SystemExit(1) if some cell
    failed.
    """
    store = Store(Path(HydraConfig.get().runtime.output_dir))
    with recording(Log(store.folder)) as said:
        finished = train(config, store, said, then=_shown)
        print(f"results: {store.folder}")
        for each, reason in finished.lost.items():
            if each not in finished.noted:  # it has older results, which were shown
                print(f"failed: cell {each}: {reason}", file=sys.stderr)
        if finished.lost or finished.noted:
            raise SystemExit(FAILED_CELLS)
        return optimized(finished.options, store, finished.cells[0])


def train(
    config: DictConfig,
    store: Store,
    said: Recording,
    then: Callable[[Store, Sequence[str], str], None] = lambda store, cells, name: None,
) -> Finished:
    """Train and evaluate what is missing of a configuration.

    `then` is called with the cells and the id of their protocol while nobody else can
    be at work in the folder. Raises ConfigError, DataError, StackError or ResultError.
    """
    run, options = read(config, Options)
    choose_device(options.device)
    if options.logger is not None:
        options.logger.check(typed_keys())
    check_optimized(options)
    protocol = protocol_id(options.evaluation)
    protocols = {protocol: options.evaluation}
    with at_work(store.folder, "cftrain train"):
        lost: dict[str, str] = {}
        if options.budget.active:
            candidates = tried(run, options)
            trained = [Wanted(cell=each) for each in candidates]
            lost = _train_and_evaluate(trained, store, options, config, said)
            with Progress("measure on validation rows", "part", said) as progress:
                kept = chosen(candidates, options, store, progress.update)
            cells = kept or candidates[:1]
            # They have just been trained; another evaluation is another matter.
            again, options = options.overwrite, replace(options, overwrite=False)
        else:
            cells, again = _cells(run, options), False
        wanted = [Wanted(cell=each, protocols=protocols) for each in cells]
        ids = tuple(each.id for each in cells)
        lost |= _train_and_evaluate(wanted, store, options, config, said, again=again)
        remove_checkpoints(store)
        then(store, ids, protocol)
    return Finished(
        options=options,
        store=store,
        cells=ids,
        protocol=protocol,
        lost=lost,
        noted=failures(wanted, store),
    )


def _shown(store: Store, cells: Sequence[str], protocol: str) -> None:
    # Grids import this module, and what draws takes a second to load.
    from cftrain.summary.figures.budget_curve import draw_budget
    from cftrain.summary.figures.counterfactual_images import draw_gallery

    curve = budget_of(load_budgets(store.folder), cells)
    if len(curve):
        print(budget_told(curve))
        print(f"picture: {draw_budget(curve, store.folder / 'figures')}\n")
    print(report(store, cells, protocol))
    for path in draw_gallery(store, cells, protocol, store.folder / "figures"):
        print(f"picture: {path}")


def _cells(run: Run, options: Options) -> list[Cell]:
    """The cell of the run and that of its twin, each once."""
    runs = [run]
    if options.compare is not None:
        if options.evaluation.generator.asks_head:
            raise ConfigError(
                "compare: expected none (compare=none) for an evaluation by the head "
                "of the model, since that of a baseline learns nothing, got "
                f"{options.compare.name}"
            )
        runs.append(replace(run, objective=options.compare))
    data = run.data.identity()
    return list(
        {made.id: made for made in (cell(each, data) for each in runs)}.values()
    )


def _train_and_evaluate(
    wanted: Sequence[Wanted],
    store: Store,
    options: Options,
    config: DictConfig,
    said: Recording,
    *,
    again: bool = False,
) -> dict[str, str]:
    """The cells that failed, and why; what was evaluated is evaluated `again` or not.
    Raises DataError, StackError or ResultError.
    """
    work = plan_work(
        wanted,
        store,
        overwrite=options.overwrite,
        retry=True,
        most=len(wanted),
        workers=1,
        evaluate_again=again,
    )
    if not work.tasks:
        if any(each.protocols for each in wanted):
            print(f"{store.folder}: done already; overwrite=true repeats it")
        return {}
    if options.overwrite:
        forget_interrupted(work, store)
    said.begin("train", HydraConfig.get().overrides.task)
    save_configuration(config, store.folder)
    workplace = Workplace(
        folder=store.folder,
        name=options.name,
        device=options.device,
        logger=options.logger,
        threads=options.threads or available(),
    )
    lost: dict[str, str] = {}
    data = Data(options.device)
    for task in work.tasks:
        if task.train:
            lost |= _trained(task, workplace, data, said).failed
    # Together, so that pictures of both show the same rows.
    cells = tuple(e.cell for e in work.lacking if e.cell.id not in lost)
    return lost | _evaluated(cells, options.evaluation, workplace, data, said)


def _trained(task: Task, workplace: Workplace, data: Data, said: Recording) -> Outcome:
    """Train a stack and say how it goes."""
    total = task.train[0].run.schedule.epochs
    with Progress(f"train {_names(task.train)}", "epoch", said) as progress:
        return perform(
            replace(task, evaluate=()),
            workplace,
            on_epoch=lambda epoch, record: progress.epoch(epoch, total, record),
            data=data,
        )


def _evaluated(
    cells: tuple[Cell, ...],
    protocol: Protocol,
    workplace: Workplace,
    data: Data,
    said: Recording,
) -> dict[str, str]:
    """Evaluate trained cells and say how it goes; those that failed, and why."""
    whole = Task(train=(), evaluate=((protocol, cells),), seconds=0.0)
    lost: dict[str, str] = {}
    if not cells:
        return lost
    with Progress(f"evaluate {_names(cells)}", "part", said) as progress:
        for task in narrowed(whole, limits(marks(workplace.folder))):
            done = perform(task, workplace, on_part=progress.update, data=data)
            lost |= done.failed
    return lost


def _names(cells: Sequence[Cell]) -> str:
    names = [objective_name(cell.run.objective.name) for cell in cells]
    return " and ".join(dict.fromkeys(names))
