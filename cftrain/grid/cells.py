"""Cells: runs with an id."""

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from cftrain.config.identity import describe
from cftrain.training.run import Run, cell_id

PICTURES = ("gallery", "attributions")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A run and the hash of everything that shapes its numbers."""

    id: str
    pair: str
    """Equal for cells that differ in their objective only."""

    run: Run

    def columns(self) -> dict[str, Any]:
        """The cell's settings as columns of the table of cells."""
        run, config = self.run, describe(self.run)
        return {
            "cell": self.id,
            "pair": self.pair,
            "data": run.data.name,
            "model": run.model.name,
            "generator": run.generator.name,
            "objective": run.objective.name,
            "seed": run.seed,
            "epochs": run.schedule.epochs,
            "counterfactuals": run.schedule.counterfactuals,
            "burn_in": run.schedule.burn_in,
            "threshold": config["maturity"].get("threshold"),
            "max_steps": run.search.max_steps,
            "step_size": run.search.step_size,
            "epsilon": run.search.epsilon,
            "energy_weight": config["generator"].get("energy_weight"),
            "class_weight": run.objective.class_weight,
            "divergence_weight": run.objective.divergence_weight,
            "adversarial_weight": run.objective.adversarial_weight,
            "ridge_weight": run.objective.ridge_weight,
            "protocol": protocol_id(run),
            "config": json.dumps(describe(run, incidental=True)),
        }


def protocol_id(run: Run) -> str:
    """Hash of how a run is evaluated; pictures leave the numbers as they are."""
    described = describe(run.evaluation)
    numbers = {k: v for k, v in described.items() if k not in PICTURES}
    return blake2b(json.dumps(numbers).encode(), digest_size=8).hexdigest()


def cell(run: Run, source: str) -> Cell:
    """The cell of a run on the given source of its data."""
    rest = {name: part for name, part in describe(run).items() if name != "objective"}
    text = json.dumps({"source": source, "run": rest})
    pair = blake2b(text.encode(), digest_size=8).hexdigest()
    return Cell(id=cell_id(run, source), pair=pair, run=run)
