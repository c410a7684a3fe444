"""The reference has every key, with its range, its values and what it means."""

from collections.abc import Iterator
from typing import Any

import pytest

from scripts.manual.commands import COMPOSED, PLAIN, command, keys
from scripts.manual.composed import options
from scripts.manual.entries import entries
from scripts.manual.groups import group
from scripts.manual.keys import Key, class_of, keys_of
from scripts.manual.metrics import metrics

GROUPS = (
    "budget",
    "categories",
    "data",
    "evaluation",
    "generator",
    "grid",
    "logger",
    "maturity",
    "model",
    "objective",
    "schedule",
    "search",
)


def leaves(node: Any, prefix: str = "") -> Iterator[str]:
    """Keys of a node whose values are no nodes with a class of their own."""
    for name, value in node.items():
        if class_of(value):
            yield from leaves(value, f"{prefix}{name}.")
        elif name not in ("_target_", "metrics"):
            yield f"{prefix}{name}"


@pytest.mark.parametrize("name", GROUPS)
def test_every_key_of_a_group_is_told(name):
    nodes = {key: node for key, node in options(name).items() if class_of(node)}
    found = {key.path: key for key in keys_of(nodes, name)}
    for option, node in nodes.items():
        for path in leaves(node):
            assert option in found[path].values, f"{name}/{option}: {path}"
    assert [path for path, key in found.items() if not key.meaning] == []
    assert all(key.takes for key in found.values())


@pytest.mark.parametrize("name", [*COMPOSED, *PLAIN])
def test_every_key_of_a_command_is_told(name):
    assert [key.path for key in keys(name) if not key.meaning] == []
    assert command(name).startswith("`")


def test_a_key_has_its_range_and_its_values():
    text = group("objective")
    assert "`objective.ridge_weight`{ #objective.ridge_weight }" in text
    below = text.partition("#objective.ridge_weight }")[2].partition("`objective.")[0]
    assert "squared energies of both" in below
    assert "A number ≥ 0 · energy, full: `0.1`; others: `0.0`" in below


def test_a_key_that_few_options_have_names_them():
    text = group("generator")
    assert text.count("{ #generator.name }") == 1
    below = text.partition("`generator.energy_weight`")[2].partition("`generator.")[0]
    assert "default `5.0` · only ecco, ecco_latent" in below


def test_values_are_written_as_they_are_typed():
    values = {"a": None, "b": True}
    key = Key(
        path="x", takes="anything", meaning="Of {a: 1} and some_key.", values=values
    )
    text = entries([key], "g.")
    assert "a: `null`; b: `true`" in text or "b: `true`; a: `null`" in text
    assert "Of `{a: 1}` and `some_key`." in text
    many = Key(
        path="x",
        takes="t",
        meaning="M.",
        values={option: ord(option) for option in "abcd"},
    )
    assert "each option has its own" in entries([many], "")


def test_every_metric_is_told_with_its_unit_and_its_keys():
    text = metrics()
    for name, node in options("evaluation")["full"]["metrics"].items():
        told = text.partition(f"### {name}\n")[2].partition("\n### ")[0]
        assert "is better" in told
        for path in leaves(node):
            assert f"evaluation.metrics.{name}.{path}" in told
    assert "\n:   \n" not in text
    of_mmd = text.partition("### ip_star\n")[2].partition("\n### ")[0]
    assert "Unit: MMD^2; lower is better. Evaluations: all." in of_mmd
