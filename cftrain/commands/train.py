"""`cftrain train`: a model and its baseline, from data to table and picture."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from tqdm import tqdm

from cftrain.commands.options import Options, read, save_configuration
from cftrain.grid.cells import cell, protocol_id
from cftrain.grid.coordinate import (
    choose_device,
    failures,
    forget_interrupted,
    plan_work,
    remove_checkpoints,
)
from cftrain.grid.tasks import Task, Wanted
from cftrain.grid.worker import Outcome, Workplace, perform
from cftrain.results.lock import at_work
from cftrain.results.store import Store
from cftrain.summary.figures.counterfactual_images import draw_gallery
from cftrain.summary.report import report
from cftrain.training.history import EpochRecord
from cftrain.training.run import Run

FAILED_CELLS = 1
"""Exit code of a command some of whose cells failed."""


def run(config: DictConfig) -> None:
    """Train and evaluate what is missing, then show everything that was asked for.

    SystemExit(1) if some cell failed.
    """
    run, options = read(config, Options)
    choose_device(options.device)
    store = Store(Path(HydraConfig.get().runtime.output_dir))
    wanted = _wanted(run, options)
    ids = [each.cell.id for each in wanted]
    with at_work(store.folder, "cftrain train"):
        lost = _train_and_evaluate(wanted, store, options, config)
        remove_checkpoints(store)
        protocol = protocol_id(options.evaluation)
        print(report(store, ids, protocol))
        for path in draw_gallery(store, ids, protocol, store.folder / "figures"):
            print(f"picture: {path}")
    print(f"results: {store.folder}")
    noted = failures(wanted, store)
    for each, reason in lost.items():
        if each not in noted:  # it has older results, which were shown
            print(f"failed: cell {each}: {reason}", file=sys.stderr)
    if lost or noted:
        raise SystemExit(FAILED_CELLS)


def _wanted(run: Run, options: Options) -> list[Wanted]:
    """The cell of the run and that of its twin, each once."""
    runs = [run]
    if options.compare is not None:
        runs.append(replace(run, objective=options.compare))
    data = run.data.identity()
    cells = {made.id: made for made in (cell(each, data) for each in runs)}
    protocols = {protocol_id(options.evaluation): options.evaluation}
    return [Wanted(cell=made, protocols=protocols) for made in cells.values()]


def _train_and_evaluate(
    wanted: Sequence[Wanted], store: Store, options: Options, config: DictConfig
) -> dict[str, str]:
    """The cells that failed, and why. Raises DataError, StackError or ResultError."""
    work = plan_work(
        wanted,
        store,
        overwrite=options.overwrite,
        retry=True,
        most=len(wanted),
        workers=1,
    )
    if not work.tasks:
        print(f"{store.folder}: done already; overwrite=true repeats it")
        return {}
    if options.overwrite:
        forget_interrupted(work, store)
    save_configuration(config, store.folder)
    workplace = Workplace(folder=store.folder, name=options.name, device=options.device)
    lost: dict[str, str] = {}
    for task in work.tasks:
        if task.train:
            lost |= _trained(task, workplace).failed
    # Together, so that pictures of both show the same rows.
    cells = tuple(e.cell for e in work.lacking if e.cell.id not in lost)
    if cells:
        evaluation = ((options.evaluation, cells),)
        task = Task(train=(), evaluate=evaluation, seconds=0.0)
        lost |= perform(task, workplace).failed
    return lost


def _trained(task: Task, workplace: Workplace) -> Outcome:
    """Train a stack and say how it goes."""
    run = task.train[0].run
    names = [cell.run.objective.name for cell in task.train]
    with _Bar(run.schedule.epochs, names) as bar:
        return perform(replace(task, evaluate=()), workplace, bar.update)


class _Bar:
    """Progress of the first cell, on a terminal only."""

    def __init__(self, epochs: int, objectives: list[str]) -> None:
        label = " and ".join(objectives)
        self._bar = tqdm(
            total=epochs, desc=label, unit="epoch", file=sys.stderr, disable=None
        )

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def update(self, epoch: int, record: EpochRecord) -> None:
        self._bar.update(epoch - self._bar.n)
        shown = {
            "loss": record.loss,
            "div": record.divergence,
            "adv": record.adversarial_loss,
            "mature": record.mature_share,
            "steps": record.search_steps,
            "val": record.validation_accuracy,
        }
        self._bar.set_postfix({name: f"{float(v[0]):.3g}" for name, v in shown.items()})
