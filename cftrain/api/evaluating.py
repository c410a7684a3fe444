"""The paper's measures of any classifier."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from cftrain.api.composing import NOWHERE, checked, with_configuration
from cftrain.api.networks import check_network, check_place
from cftrain.commands.command_line.options import Options, read
from cftrain.data.dataset import Dataset
from cftrain.data.sources import cache
from cftrain.errors import DataError, ModelError
from cftrain.evaluation.evaluate import evaluate as measured
from cftrain.evaluation.evaluate import metric_rows
from cftrain.evaluation.protocol import Protocol
from cftrain.models.module import stack_of_one, undisturbed
from cftrain.results.schema import METRICS
from cftrain.seeding import Stream
from cftrain.training.run import Run

KEYS = ("cell", "stack", "protocol")
"""Of stored metrics: this model is in no store."""


def evaluate(
    net: nn.Module,
    data: str = "moons",
    evaluation: str | None = None,
    *,
    row_shape: Sequence[int] | None = None,
    overrides: Sequence[str] = (),
) -> pd.DataFrame:
    """Returns what is measured on a network, as the table of metrics of a training.

    `net` maps rows of the data set, in the units of the models (standardised numbers,
    one input for each level of a category), to logits (row, class) in the order of its
    classes. A row has the shape `row_shape`: by default (feature,), or (1, height,
    width) where the data are images. It is used in evaluation mode, on the device of
    its weights; modes, gradients and weights are the same afterwards.

    `data` and `evaluation` are options of `cftrain train` (None: the one that goes with
    the data); `overrides` has further words of it. Columns: `metric`, `unit`,
    `higher_is_better`, `energy_weight`, `round`, `epsilon`, `value`, a mean over `rows`
    rows; docs/results.md has the meaning of each metric.

    Raises ArgumentError (a TypeError) for what is no network or returns no tensor,
    ModelError, DataError and ConfigError (ValueErrors) for networks, data and settings
    that do not fit.

    >>> import cftrain
    >>> import torch
    >>> net = torch.nn.Linear(2, 2)
    >>> found = cftrain.evaluate(net, data="moons", evaluation="quick")
    >>> found.query("metric == 'accuracy'")[["unit", "rows"]].values.tolist()
    [['share', 900]]
    """
    check_network(net)
    chosen = [] if evaluation is None else [f"evaluation={evaluation}"]
    words = [f"data={data}", *chosen, *checked(overrides)]
    run, protocol = with_configuration("run", [*words, NOWHERE], _read)
    run.data.source()  # which may fetch it
    dataset = run.data.load().to(_device(net))
    with torch.inference_mode(False), undisturbed(net):
        rows = _as_taken(dataset, row_shape)
        check_place(net, rows, "data")
        model = stack_of_one(net, rows)
        if model.classes != dataset.classes:
            raise ModelError(
                f"net: expected logits of {dataset.classes} classes, as {dataset.name} "
                f"has, got {model.classes}"
            )
        fitted = protocol.fitted(dataset, cache())
        found = measured(model, dataset, fitted, streams=[Stream(run.seed)])
    schema = pa.schema([field for field in METRICS if field.name not in KEYS])
    return pa.Table.from_pylist(list(metric_rows(found, protocol)), schema).to_pandas()


def _read(config: DictConfig) -> tuple[Run, Protocol]:
    run, options = read(config, Options)
    return run, options.evaluation


def _device(net: nn.Module) -> torch.device:
    """Where the weights of a network are; the CPU if it has none."""
    return next((values.device for values in net.parameters()), torch.device("cpu"))


def _as_taken(dataset: Dataset, row_shape: Sequence[int] | None) -> Tensor:
    """The rows of the pool in the shape that a network takes. Raises DataError."""
    shape: Sequence[int] = (dataset.feature_count,)
    if row_shape is not None:
        shape = row_shape
    elif dataset.image_shape is not None:
        shape = (1, *dataset.image_shape)
    if torch.Size(shape).numel() != dataset.feature_count:
        raise DataError(
            f"row_shape: expected the shape of {dataset.feature_count} values, got "
            f"{tuple(shape)}"
        )
    return dataset.features.reshape(-1, *shape)
