"""`cftrain train`: a model and its baseline, from data to table and picture."""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from cftrain.commands.options import Options, read
from cftrain.errors import ConfigError
from cftrain.grid.cells import Cell, cell
from cftrain.grid.worker import checkpoint_of, run_stack
from cftrain.results.store import Store
from cftrain.summary.gallery import draw_gallery
from cftrain.summary.report import report
from cftrain.training.history import EpochRecord
from cftrain.training.run import Run, stack_id

THREADS = 1
"""Two threads on small work cost up to 100 times as much as one when cores are busy."""


def run(config: DictConfig) -> None:
    """Train what is missing, then show everything that was asked for."""
    run, settings = read(config, Options)
    device = choose_device(settings.device)
    torch.set_num_threads(THREADS)
    store = Store(Path(HydraConfig.get().runtime.output_dir))
    store.prepare()
    runs = [run]
    if settings.compare is not None:
        runs.append(replace(run, objective=settings.compare))
    data = run.data.identity()
    cells = list({made.id: made for made in (cell(r, data) for r in runs)}.values())
    missing = cells if settings.overwrite else _missing(cells, store)
    if missing:
        _train(missing, store, run, settings, device)
        OmegaConf.save(config, store.folder / "config.yaml", resolve=True)
    else:
        print(f"{store.folder}: done already; overwrite=true repeats it")
    ids = [made.id for made in cells]
    print(report(store, ids))
    for path in draw_gallery(store, ids, store.folder / "figures"):
        print(f"picture: {path}")
    print(f"results: {store.folder}")


def choose_device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device: expected a machine with CUDA and a torch built for it, got "
            f"torch {torch.__version__} without a usable device; use device=cpu"
        )
    return torch.device(name)


def _missing(cells: list[Cell], store: Store) -> list[Cell]:
    done = store.done()
    return [cell for cell in cells if cell.id not in done]


def _train(
    cells: list[Cell], store: Store, run: Run, settings: Options, device: torch.device
) -> None:
    stack = stack_id([cell.id for cell in cells])
    if settings.overwrite:  # from the start, whatever an interrupted one left
        checkpoint_of(stack, store).remove()
    with _Bar(run.schedule.epochs, [cell.run.objective.name for cell in cells]) as bar:
        run_stack(
            cells, stack, store, name=settings.name, device=device, on_epoch=bar.update
        )


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
