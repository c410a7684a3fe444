"""What is printed is judged: rounding may cost a counterfactual its class."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from cftrain.data.columns import CategoricalColumn, NumericColumn
from cftrain.data.encoding import Codec
from cftrain.data.told import as_given, told
from cftrain.evaluation.evaluate import evaluate
from cftrain.evaluation.metrics.validity import Validity
from cftrain.evaluation.metrics.validity_told import ValidityAsTold
from tests.builders import blobs, constraints, linear, mlp, streams
from tests.evaluation.individuals import individuals, protocol, reference

CODEC = Codec(
    columns=(
        NumericColumn(name="age", mean=40.0, deviation=10.0, decimals=0),
        CategoricalColumn(name="job", levels=("none", "some")),
    )
)
LIMITS = constraints(["free"] * 3, [-4.0, 0, 0], [4.0, 1, 1], groups=((1, 2),))
FACTUAL = [0.0, 1.0, 0.0]
"""Forty years and no job."""


def class_one_where(feature: int, threshold: float) -> torch.nn.Module:
    """Two classes, the second one above a threshold of a feature."""
    weight = torch.zeros(1, 2, 3, dtype=torch.float64)
    weight[0, 1, feature] = 1
    bias = torch.tensor([[0.0, -threshold]], dtype=torch.float64)
    return linear(weight, bias)


def measured(model: torch.nn.Module, *rows: list[float], **changes: object) -> list:
    """Validity as told of counterfactuals that the model itself takes for class 1."""
    x = torch.tensor([rows], dtype=torch.float64)
    made = individuals(
        x,
        torch.ones(len(rows), dtype=torch.long),
        factual=torch.tensor([[FACTUAL] * len(rows)], dtype=torch.float64),
        predicted=model(x).argmax(-1),
        classifier=model,
        constraints=LIMITS,
    )
    made = replace(made, **{"codec": CODEC, **changes})
    return ValidityAsTold()(made, reference(x[0], x[0]))[0].tolist()


@pytest.mark.parametrize(
    ("inputs", "valid"),
    [
        (0.06, 1.0),  # 40.6 is told as 41, 0.1 in inputs
        (0.04, 0.0),  # 40.4 is told as 40, which is no more than before
        (0.3, 1.0),
    ],
)
def test_numbers_are_judged_as_they_are_rounded(inputs, valid):
    model = class_one_where(0, 0.02)
    assert measured(model, [inputs, 1, 0]) == [valid]


def test_categories_are_judged_as_they_are_snapped():
    """A mixture that the model takes for class 1 is told as the larger level."""
    model = class_one_where(2, 0.3)
    assert measured(model, [0, 0.6, 0.4], [0, 0.4, 0.6]) == [0.0, 1.0]


def test_rounding_may_help_as_well():
    model = class_one_where(0, 0.08)
    assert measured(model, [0.06, 1, 0]) == [1.0]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e30])
def test_what_nobody_can_be_told_is_not_valid(value):
    model = class_one_where(0, 0.02)
    assert measured(model, [value, 1, 0], [0.3, 1, 0]) == [0.0, 1.0]


def test_where_there_is_nothing_to_explain_nothing_is_valid():
    absent = torch.zeros(1, 1, dtype=torch.bool)
    assert measured(class_one_where(0, 0.02), [0.3, 1, 0], present=absent) == [0.0]


def test_it_is_the_judgement_of_what_advice_prints():
    """Second implementation: row by row, by the raw values alone."""
    model = mlp(1, features=3, classes=2, scale=3.0)
    generator = torch.Generator().manual_seed(3)
    rows = torch.randn(40, 3, generator=generator, dtype=torch.float64) / 2
    expected = []
    for row in rows:
        factual = as_given(pd.DataFrame({"age": [40.0], "job": ["none"]}), CODEC)
        shown = told(row.unsqueeze(0).float(), factual, CODEC, LIMITS)
        again = CODEC.encode(shown.raw).double()
        expected.append(float(model(again.unsqueeze(0)).argmax()))
    assert 0 < sum(expected) < 40
    assert measured(model, *rows.tolist()) == expected


def test_images_have_no_such_measure():
    data = blobs()
    made = protocol(metrics={"validity": Validity(), "validity_told": ValidityAsTold()})
    names = {}
    for shape in (None, (2, 2)):
        of_shape = replace(data, image_shape=shape)
        found = evaluate(mlp(1), of_shape, made, streams=streams(1)).measurements
        names[shape] = {each.metric for each in found}
    assert names == {None: {"validity", "validity_told"}, (2, 2): {"validity"}}
