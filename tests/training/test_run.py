"""What a run is, and what makes two of them the same."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from omegaconf import OmegaConf

from cftrain.commands.command_line import options
from cftrain.commands.command_line.options import Options
from cftrain.config.identity import configured, describe, incidental, later
from cftrain.errors import ConfigError
from cftrain.grid.cells import cell, stack_id
from cftrain.training.run import Run, rebuild
from tests.console import compose, read, run_of


@pytest.fixture(scope="module")
def default() -> Run:
    return run_of()


def identity(run: Run) -> str:
    return cell(run, "generated").id


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
    if isinstance(value, tuple) and value:
        longer = (*value, value[-1]) if get_args(hint)[-1:] == (Ellipsis,) else value
        return [value[::-1], longer]
    return []


def changes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The object with one field changed, for every field at any depth.

    Fields that only say where something is are left alone.
    """
    hints = get_type_hints(type(value), include_extras=True)
    for name in configured(type(value)):
        if name in incidental(type(value)):
            continue
        hint = hints[name]
        plain = get_args(hint)[0] if hasattr(hint, "__metadata__") else hint
        for key, changed in changed_values(getattr(value, name), plain, path + name):
            with suppress(ConfigError):  # it would not fit the other fields
                yield key, replace(value, **{name: changed})


def changed_values(held: Any, hint: Any, here: str) -> Iterator[tuple[str, Any]]:
    if is_dataclass(held):
        yield from changes(held, f"{here}.")
    elif isinstance(held, dict):
        for key, item in held.items():
            rest = {k: v for k, v in held.items() if k != key}
            yield f"{here}.{key}", rest
            for inner, changed in changed_values(item, None, f"{here}.{key}"):
                yield inner, {**rest, key: changed}
    else:
        for changed in variants(held, hint):
            if changed != held:
                yield here, changed


@pytest.mark.parametrize(
    ("overrides", "count"),
    [
        ((), 30),
        (("data=adult", "schedule=large", "generator=revise"), 60),
        (("data=mnist", "schedule=large"), 30),
    ],
)
def test_every_field_of_a_run_is_part_of_its_id(overrides, count):
    default = run_of(*overrides)
    ids = {"": identity(default)}
    for key, changed in changes(default):
        assert identity(changed) not in ids.values(), key
        ids[key] = identity(changed)
    assert len(ids) > count


def test_a_missing_part_and_another_class_are_part_of_the_id(default):
    generic = run_of("generator=generic").generator
    found = {
        identity(run)
        for run in (
            default,
            replace(default, data=replace(default.data, domain_deviations=None)),
            replace(default, generator=generic),
        )
    }
    assert len(found) == 3


def test_the_data_are_part_of_the_id(default):
    """The source and what is in it: another copy is another training."""
    found = {cell(default, data).id for data in ("parquet:1", "parquet:2", "embedded")}
    assert len(found) == 3


def test_what_only_says_where_is_no_part_of_the_id():
    mnist = run_of("data=mnist", "data.root=null", "schedule=large")
    elsewhere = replace(
        mnist, data=replace(mnist.data, root="/elsewhere", network_timeout_seconds=9.0)
    )
    assert identity(elsewhere) == identity(mnist)
    assert "/elsewhere" not in json.dumps(describe(elsewhere))
    assert set(incidental(type(mnist.data))) == {"root", "network_timeout_seconds"}


@pytest.mark.parametrize(
    "override",
    [
        "name=other",
        "device=cuda",
        "overwrite=true",
        "compare=none",
        "evaluation=full",
        "evaluation=images",
        "evaluation.rounds=3",
        "evaluation.maturity.threshold=0.5",
        "~evaluation.metrics.cost",
    ],
)
def test_what_is_done_with_a_model_is_no_part_of_its_id(default, override):
    assert identity(run_of(override)) == identity(default)


def test_a_run_knows_nothing_of_its_evaluation(default):
    assert "evaluation" not in json.dumps(describe(default))


def test_a_described_run_is_built_again_and_places_are_those_of_today(monkeypatch):
    monkeypatch.setenv("CFTRAIN_DATA", "/today")
    for overrides in (
        (),
        ("data=adult", "schedule=large", "generator=revise"),
        ("data=mnist", "schedule=large"),
    ):
        run = run_of(*overrides)
        again = rebuild(json.loads(json.dumps(describe(run))))
        assert again == run
        assert identity(again) == identity(run)
    elsewhere = run_of("data=adult", "schedule=large", "data.root=/yesterday")
    assert rebuild(describe(elsewhere)).data.root == "/today"
    monkeypatch.delenv("CFTRAIN_DATA")
    assert rebuild(describe(elsewhere)).data.root is None


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
    stored = [json.dumps(describe(run)) for run in (table, other)]
    assert stored[0] != stored[1]
    assert rebuild(json.loads(stored[1])).data.columns == columns


def test_a_whole_number_is_the_float_it_is_read_as(default):
    assert identity(run_of("objective.class_weight=1")) == identity(default)


def test_an_id_is_a_short_hexadecimal_number(default):
    assert re.fullmatch("[0-9a-f]{16}", identity(default))


def test_a_description_is_complete_json(default):
    described = describe(default)
    assert json.loads(json.dumps(described)) == described
    told = {field.name for field in fields(Run)} - set(later(Run))
    assert set(described) == {"_target_", *told}
    assert described["_target_"] == "run"
    assert described["model"] == {
        "_target_": "mlp",
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
    assert (search.generator, search.maturity, search.descent, search.categories) == (
        default.generator,
        default.maturity,
        default.search,
        default.categories,
    )
