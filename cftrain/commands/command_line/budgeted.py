"""A budget at work: the models that it tries, the one that it keeps, and the curve."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import count
from typing import Any

import torch

from cftrain.budget.budget import Budget, kept, within
from cftrain.budget.validation import Validated, validated, validation_protocol
from cftrain.commands.command_line.options import Options, typed_keys
from cftrain.config.identity import digest
from cftrain.data.dataset import check_identity
from cftrain.errors import ConfigError
from cftrain.evaluation.evaluate import parts
from cftrain.grid.cells import Cell, cell, protocol_id
from cftrain.grid.measured import OnPart
from cftrain.grid.tasks import state_of
from cftrain.objectives.naming import OF_HEAD, PARTS
from cftrain.results.budget.table import add_budget, load_budgets
from cftrain.results.provenance import provenance
from cftrain.results.store import Store
from cftrain.training.restore import restored
from cftrain.training.run import Run

STRENGTH = "objective.strength"


def tried(run: Run, options: Options) -> list[Cell]:
    """Returns the baseline and a model of each strength, in this order. Raises
    ConfigError where the objective has nothing that could be stronger.
    """
    objective = run.objective
    strongest = zip(PARTS, replace(objective, strength=1.0).weights, strict=True)
    varied = {part for part, weight in strongest if weight} - {PARTS[0], *OF_HEAD}
    if not varied:
        raise ConfigError(
            "objective: expected one with a term of the logits besides the class loss, "
            "whose strength the budget varies, such as objective=aligned, got "
            f"{objective.name}"
        )
    if STRENGTH in typed_keys():
        raise ConfigError(
            f"{STRENGTH}: expected none beside a budget, which varies it, got "
            f"{objective.strength:g}; budget.strengths says what is tried"
        )
    validation_protocol(options.evaluation, options.budget)
    baseline = options.compare or replace(objective, strength=0.0)
    strengths = options.budget.tried
    objectives = [baseline, *(replace(objective, strength=each) for each in strengths)]
    data = run.data.identity()
    cells = [cell(replace(run, objective=each), data) for each in objectives]
    # The baseline may be the same as with one of the strengths.
    return list({each.id: each for each in cells}.values())


def chosen(
    cells: Sequence[Cell],
    options: Options,
    store: Store,
    on_part: OnPart = lambda done, total: None,
) -> list[Cell]:
    """Returns the model that is kept and its baseline, or the baseline alone; none if
    this one diverged.

    Models are measured on validation rows, unless that was done already, and the curve
    is kept. Those that diverged are not eligible. Raises DataError and ResultError.
    """
    trained = state_of(store).trained
    there = [each for each in cells if each.id in trained]
    if not there or there[0] is not cells[0]:
        return []
    name = _budget_id(there, options)
    known = load_budgets(store.folder)
    known = known[known["budget"] == name]
    names = [each.id for each in there]
    was_kept = [
        names.index(each) for each in known["cell"][known["kept"]] if each in names
    ]
    if not was_kept or options.overwrite:
        curve = _measured(there, trained, options, store, on_part)
        place = kept([each.candidate for each in curve], options.budget)
        add_budget(store.folder, _rows(name, there, curve, place, options.budget))
    else:
        place = was_kept[0]
    return [there[place], there[0]] if place else [there[0]]


def _measured(
    cells: Sequence[Cell],
    trained: Mapping[str, str | None],
    options: Options,
    store: Store,
    on_part: OnPart,
) -> list[Validated]:
    runs = [each.run for each in cells]
    dataset = runs[0].data.load()
    check_identity(dataset, cells[0].data)
    dataset = dataset.to(torch.device(options.device))
    ids = [each.id for each in cells]
    digests = {each: found for each in ids if (found := trained[each]) is not None}
    models = restored(store, ids, runs, dataset, digests=digests)
    protocol = options.evaluation
    done = count(1)
    total = parts(validation_protocol(protocol, options.budget), len(cells))
    return validated(
        models.classifier,
        dataset,
        protocol,
        options.budget,
        strengths=[0.0, *(_strength(run) for run in runs[1:])],
        seed=runs[0].seed,
        on_part=lambda: on_part(next(done), total),
    )


def _strength(run: Run) -> float:
    found = run.objective.strength
    assert isinstance(found, float)  # of a single run
    return found


def _budget_id(cells: Sequence[Cell], options: Options) -> str:
    """Hash of what the choice depends on."""
    ids = [each.id for each in cells]
    return digest([ids, _plain(options.budget), protocol_id(options.evaluation)])


def _plain(budget: Budget) -> dict[str, Any]:
    return {**asdict(budget), "strengths": list(budget.strengths)}


def _rows(
    name: str,
    cells: Sequence[Cell],
    curve: Sequence[Validated],
    place: int,
    budget: Budget,
) -> list[dict[str, Any]]:
    """The curve as rows of the table of budgets."""
    shared = {
        "budget": name,
        "created": provenance()["created"],
        "config": json.dumps(_plain(budget)),
        "baseline": cells[0].id,
        "measure": budget.measure,
    }
    return [
        {
            **shared,
            "cell": each.id,
            "strength": found.candidate.strength,
            "rows": found.rows,
            "individuals": found.individuals,
            **found.shares,
            **{f"{k}_loss": loss.value for k, loss in found.candidate.losses.items()},
            **{f"{k}_error": loss.error for k, loss in found.candidate.losses.items()},
            "value": found.value,
            "within": number == 0 or within(found.candidate, budget),
            "kept": number == place,
        }
        for number, (each, found) in enumerate(zip(cells, curve, strict=True))
    ]
