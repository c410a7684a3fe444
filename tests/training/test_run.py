"""What a run is, and what makes two of them the same."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from omegaconf import OmegaConf

from cftrain.commands import options
from cftrain.commands.options import Options
from cftrain.config.identity import configured, describe
from cftrain.config.ranges import INCIDENTAL
from cftrain.grid.cells import cell
from cftrain.training.run import Run, cell_id, stack_id
from tests.console import compose, read, run_of


@pytest.fixture(scope="module")
def default() -> Run:
    return run_of()


def identity(run: Run) -> str:
    return cell_id(run, "generated")


def variants(value: Any, hint: Any) -> list[Any]:
    """Values near a plain one, of the same kind."""
    if get_origin(hint) is Literal:
        return [option for option in get_args(hint) if option != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, float):
        return [value * (1 + 1e-12)]
    if isinstance(value, str):
        return [value + "x"]
    if isinstance(value, tuple):
        longer = (*value, value[-1]) if get_args(hint)[-1] is Ellipsis else value
        return [value[::-1], longer]
    return []


def changes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The object with one field changed, for every field at any depth."""
    hints = get_type_hints(type(value), include_extras=True)
    for name in configured(type(value)):
        held, here = getattr(value, name), f"{path}{name}"
        if is_dataclass(held):
            for key, changed in changes(held, f"{here}."):
                yield key, replace(value, **{name: changed})
        elif isinstance(held, dict):
            for key, item in held.items():
                rest = {k: v for k, v in held.items() if k != key}
                yield f"{here}.{key}", replace(value, **{name: rest})
                for inner, changed in changes(item, f"{here}.{key}."):
                    yield inner, replace(value, **{name: {**rest, key: changed}})
        else:
            hint = hints[name]
            plain = get_args(hint)[0] if hasattr(hint, "__metadata__") else hint
            for changed in variants(held, plain):
                if changed != held:
                    yield here, replace(value, **{name: changed})


def test_every_field_of_a_run_is_part_of_its_id(default):
    ids = {"": identity(default)}
    for key, changed in changes(default):
        assert identity(changed) not in ids.values(), key
        ids[key] = identity(changed)
    assert len(ids) > 50


def test_a_missing_part_and_another_class_are_part_of_the_id(default):
    gallery = run_of("evaluation=images").evaluation.gallery
    evaluation = replace(default.evaluation, gallery=gallery)
    generic = run_of("generator=generic").generator
    found = {
        identity(run)
        for run in (
            default,
            replace(default, evaluation=evaluation),
            replace(default, data=replace(default.data, domain_deviations=None)),
            replace(default, generator=generic),
            replace(default, evaluation=replace(evaluation, generator=generic)),
        )
    }
    assert len(found) == 5


def test_the_source_of_the_data_is_part_of_the_id(default):
    assert cell_id(default, "parquet") != cell_id(default, "embedded")


def test_what_only_says_where_is_no_part_of_the_id():
    mnist = run_of("data=mnist", "data.root=null", "schedule=large")
    elsewhere = replace(
        mnist, data=replace(mnist.data, root="/elsewhere", network_timeout_seconds=9.0)
    )
    assert identity(elsewhere) == identity(mnist)
    assert "/elsewhere" not in json.dumps(describe(elsewhere))
    hints = get_type_hints(type(mnist.data), include_extras=True)
    incidental = {
        name
        for name, hint in hints.items()
        if INCIDENTAL in getattr(hint, "__metadata__", ())
    }
    assert incidental == {"root", "network_timeout_seconds"}


@pytest.mark.parametrize(
    "override", ["name=other", "device=cuda", "overwrite=true", "compare=none"]
)
def test_settings_are_no_part_of_the_id(default, override):
    assert identity(run_of(override)) == identity(default)


def test_the_order_of_keys_in_a_node_is_no_part_of_the_id(default):
    values = OmegaConf.to_container(compose(), resolve=True)
    turned = turned_nodes(values)
    assert list(turned) == list(values)[::-1]
    assert list(turned["search"]) == list(values["search"])[::-1]
    run, _ = options.read(OmegaConf.create(turned), Options)
    assert identity(run) == identity(default)


def turned_nodes(values: Any) -> Any:
    """All nodes with their keys in the opposite order; mappings stay as they are."""
    if not isinstance(values, dict):
        return values
    pairs = [(name, turned_nodes(value)) for name, value in values.items()]
    return dict(pairs[::-1] if "_target_" in values else pairs)


def test_the_order_of_the_columns_of_a_table_is_part_of_the_id():
    table = run_of("data=adult")
    columns = dict(reversed(table.data.columns.items()))
    other = replace(table, data=replace(table.data, columns=columns))
    assert identity(other) != identity(table)
    stored = [cell(run, "").columns()["config"] for run in (table, other)]
    assert stored[0] != stored[1]


def test_a_whole_number_is_the_float_it_is_read_as(default):
    assert identity(run_of("objective.class_weight=1")) == identity(default)


def test_an_id_is_a_short_hexadecimal_number(default):
    assert re.fullmatch("[0-9a-f]{16}", identity(default))


def test_a_description_is_complete_json(default):
    described = describe(default)
    assert json.loads(json.dumps(described)) == described
    assert set(described) == {"_target_", *(field.name for field in fields(Run))}
    assert described["_target_"] == "cftrain.training.run.Run"
    assert described["model"] == {
        "_target_": "cftrain.models.mlp.Mlp",
        "name": "mlp",
        "hidden": [32],
        "activation": "relu",
    }


def test_pairs_differ_in_their_objective_only(default):
    pair = cell(default, "generated").pair
    for key, changed in changes(default):
        same = cell(changed, "generated").pair == pair
        assert same == key.startswith("objective."), key


def test_the_twin_is_the_other_half_of_the_pair(default):
    run, settings = read()
    twin = cell(replace(run, objective=settings.compare), "generated")
    assert twin.pair == cell(default, "generated").pair
    assert twin.id != identity(default)


def test_cells_on_different_copies_of_the_data_are_no_pair(default):
    assert cell(default, "parquet").pair != cell(default, "embedded").pair


def test_a_stack_is_its_cells_in_their_order():
    assert stack_id(["a", "b"]) == stack_id(["a", "b"])
    made = [["a", "b"], ["b", "a"], ["a"], ["ab"], ["a", "b", "c"]]
    assert len({stack_id(cells) for cells in made}) == len(made)


def test_a_search_is_made_of_the_parts_of_the_run(default):
    search = default.counterfactual_search()
    assert (search.generator, search.maturity, search.steps, search.categories) == (
        default.generator,
        default.maturity,
        default.search,
        default.categories,
    )
