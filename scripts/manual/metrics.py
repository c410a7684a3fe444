"""The metrics of evaluations as Markdown, with the keys of each."""

from typing import Any

from omegaconf import OmegaConf

from cftrain.config.build import build_object
from cftrain.evaluation.metric import Metric
from scripts.manual.composed import options
from scripts.manual.entries import entries, plain
from scripts.manual.keys import keys_of
from scripts.manual.meanings import docstring

SHOWN = ("full", "grid", "methods")
"""Evaluations that together have all metrics."""


def metrics() -> str:
    """Returns each metric: what it is, its unit, its better side, and its keys."""
    evaluations = options("evaluation")
    found: dict[str, str] = {}
    for option in SHOWN:
        for name, metric in _built(evaluations[option]).items():
            having = [
                key for key, each in evaluations.items() if name in each["metrics"]
            ]
            where = "all" if len(having) == len(evaluations) else ", ".join(having)
            node = evaluations[option]["metrics"][name]
            found.setdefault(
                name, _told(name, metric, where) + _keys(option, name, node)
            )
    return "\n\n".join(found.values())


def _built(evaluation: Any) -> dict[str, Metric]:
    values: Any = OmegaConf.to_container(OmegaConf.create(evaluation), resolve=True)
    return {
        name: build_object(node, Metric, name)
        for name, node in values["metrics"].items()
    }


def _told(name: str, metric: Metric, where: str) -> str:
    better = "higher" if metric.higher_is_better else "lower"
    return (
        f"### {name}\n\n{plain(docstring(type(metric)))}\n\n"
        f"Unit: {metric.unit}; {better} is better. Evaluations: {where}.\n\n"
    )


def _keys(option: str, name: str, node: Any) -> str:
    keys = keys_of({option: node}, "evaluation", at=f"metrics.{name}.")
    return entries(keys, "evaluation.")
