"""Collections of grids made by hand."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from cftrain.results.points import add_points
from cftrain.results.store import Store
from cftrain.summary.reading.collection import Collection, collect
from tests.summary.rows import cell_row, metric_rows, row, write_evaluation

STACK = "s"


def cell(data: str, objective: str, seed: int, **values: Any) -> dict[str, Any]:
    """A finished cell, called as it is trained; `config` becomes JSON."""
    config = {"seed": seed, "data": data, **values.pop("config", {})}
    name = values.pop("cell", f"{data}-{objective}-{seed}")
    given = {"data": data, "objective": objective, "seed": seed}
    return cell_row(name, STACK, config=json.dumps(config), **given, **values)


def cells(
    data: Iterable[str], objectives: Iterable[str], seeds: Iterable[int]
) -> list[dict[str, Any]]:
    """A cell for each combination."""
    return [
        cell(name, objective, seed)
        for name in data
        for objective in objectives
        for seed in seeds
    ]


def write_grid(
    folder: Path,
    rows: list[dict[str, Any]],
    *,
    grid: str = "ablation",
    coordinates: Mapping[str, Mapping[str, Any]] | None = None,
    **tables: list[dict[str, Any]],
) -> Collection:
    """Cells that are points of a grid, each held against the vanilla cell of its data
    and seed, with rows of other tables; what is then below the folder.
    """
    store = Store(folder)
    store.write("history", STACK, tables.pop("history", []))
    store.write("cells", STACK, rows)
    write_evaluation(store, STACK, rows, **tables)
    baseline = {
        (each["data"], each["seed"]): each["cell"]
        for each in rows
        if each["objective"] == "vanilla"
    }
    models = [each for each in rows if each["objective"] != "vanilla"]
    points = []
    for number, model in enumerate(models):
        shared = {
            "grid": grid,
            "point": number,
            "coordinates": dict((coordinates or {}).get(model["cell"], {"axis": 1})),
        }
        points.append({**shared, "role": "model", "cell": model["cell"]})
        found = baseline.get((model["data"], model["seed"]))
        if found is not None:
            points.append({**shared, "role": "baseline", "cell": found})
    add_points(folder, points)
    return collect(folder)


def attacked(cell: str, attack: str, values: Mapping[float, float]) -> list[dict]:
    """Accuracies by the strength of an attack."""
    return [
        found
        for epsilon, value in values.items()
        for found in metric_rows(
            cell,
            STACK,
            attack,
            {(None, None): value},
            epsilon=epsilon,
            higher_is_better=True,
        )
    ]


def epochs(cell: str, **columns: list[float | None]) -> list[dict[str, Any]]:
    """History with the given columns."""
    count = len(next(iter(columns.values())))
    return [
        row(
            "history",
            cell=cell,
            stack=STACK,
            epoch=number + 1,
            **{name: values[number] for name, values in columns.items()},
        )
        for number in range(count)
    ]


def panels(figure: Figure) -> dict[str, Any]:
    """The figure's axes by their titles."""
    return {axis.get_title(): axis for axis in figure.get_axes()}


def curves(axis: Any) -> dict[str, list[float]]:
    """Heights of an axis's curves by their labels."""
    return {
        str(line.get_label()): [float(value) for value in line.get_ydata()]
        for line in axis.get_lines()
    }
