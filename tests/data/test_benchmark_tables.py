"""The four tables of the paper against the numbers in its specification.

Printed means and deviations have five significant digits. All tests with the mark
`data` need the real tables.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from cftrain.data import sources
from cftrain.data.columns import NumericColumn
from cftrain.data.dataset import Dataset
from cftrain.data.encoding import Codec
from cftrain.data.tables.tabular import Tabular
from cftrain.errors import DataError
from tests.console import run_of

TABLES = ["adult", "california_housing", "credit_default", "gmsc"]
BALANCED = TABLES[1:]

SIZES = {
    # inputs, training and validation rows, test rows
    "adult": (108, 26_049, 6_512),
    "california_housing": (8, 16_504, 4_126),
    "credit_default": (33, 10_618, 2_654),
    "gmsc": (10, 13_371, 3_343),
}
POSITIVE = {
    "california_housing": 0.5010,
    "credit_default": 0.5007,
    "gmsc": 0.4980,
}
PROTECTED = {
    # column and its place among the inputs, counted from 1
    "adult": ("age", 1),
    "california_housing": ("HouseAge", 2),
    "credit_default": ("AGE", 15),
    "gmsc": ("age", 2),
}
LEVELS = {
    "adult": {
        "workclass": 9,
        "education": 16,
        "marital_status": 7,
        "occupation": 15,
        "relationship": 6,
        "race": 5,
        "sex": 2,
        "native_country": 42,
    },
    "credit_default": {"SEX": 2, "EDUCATION": 7, "MARRIAGE": 4},
    "california_housing": {},
    "gmsc": {},
}
STATISTICS = {
    "california_housing": {
        "MedInc": (3.8715, 1.8980),
        "HouseAge": (28.695, 12.526),
        "AveRooms": (5.4431, 2.6030),
        "AveBedrms": (1.0996, 0.5068),
        "Population": (1416.2, 1104.8),
        "AveOccup": (3.0842, 11.467),
        "Latitude": (35.639, 2.1386),
        "Longitude": (-119.573, 2.0071),
    },
    "gmsc": {
        "RevolvingUtilizationOfUnsecuredLines": (6.5905, 199.58),
        "age": (48.638, 13.953),
        "NumberOfTime30_59DaysPastDueNotWorse": (1.1240, 7.2151),
        "DebtRatio": (23.019, 332.90),
        "MonthlyIncome": (6186.5, 8972.5),
        "NumberOfOpenCreditLinesAndLoans": (8.5035, 5.4121),
        "NumberOfTimes90DaysLate": (0.8763, 7.2078),
        "NumberRealEstateLoansOrLines": (1.0468, 1.3105),
        "NumberOfTime60_89DaysPastDueNotWorse": (0.7447, 7.1793),
        "NumberOfDependents": (0.9514, 1.2099),
    },
    "credit_default": {
        "LIMIT_BAL": (153_044, 125_277),
        "AGE": (35.637, 9.4379),
        "PAY_0": (0.2322, 1.2667),
        "BILL_AMT1": (49_899, 72_860),
        "PAY_AMT1": (4_859.7, 14_523),
    },
}

Load = Callable[..., Dataset]


def spec(name: str, root: str = "null") -> Tabular:
    """The specification in `conf/data`."""
    table = run_of(f"data={name}", f"data.root={root}").data
    assert isinstance(table, Tabular)
    return table


@pytest.fixture(scope="module")
def load(data_root: Path) -> Load:
    """Loads a table of the paper, each form of it once."""
    known: dict[tuple[str, bool], Dataset] = {}

    def _load(name: str, *, raw: bool = False) -> Dataset:
        if (name, raw) not in known:
            table = spec(name, str(data_root))
            known[name, raw] = (replace(table, prepared=None) if raw else table).load()
        return known[name, raw]

    return _load


def numeric(codec: Codec) -> dict[str, NumericColumn]:
    return {
        column.name: column
        for column in codec.columns
        if isinstance(column, NumericColumn)
    }


# Without the tables


@pytest.mark.parametrize("name", TABLES)
def test_training_and_validation_rows_fill_the_pool_of_the_paper(name):
    table = spec(name)
    rows = table.training_rows + table.validation_rows
    assert (rows, table.validation_rows) == (SIZES[name][1], 1000)


@pytest.mark.parametrize("name", TABLES)
def test_a_machine_without_tables_and_network_says_what_to_do(
    name, tmp_path, monkeypatch
):
    def refuse(*_: object, **__: object) -> None:
        raise sources.Unavailable("no answer within 5 seconds")

    monkeypatch.setattr(sources, "cache", lambda: tmp_path)
    monkeypatch.setattr(sources, "fetch_openml_frame", refuse)
    with pytest.raises(DataError, match=r"OpenML table \d+ \(no answer.*CFTRAIN_DATA"):
        spec(name).source()


# As the authors prepared them


@pytest.mark.data
@pytest.mark.parametrize("name", TABLES)
def test_sizes_are_those_of_the_paper(load, name):
    dataset = load(name)
    inputs, pool, test = SIZES[name]
    assert dataset.features.shape == (pool, inputs)
    assert dataset.test_features.shape == (test, inputs)
    assert dataset.classes == 2
    assert dataset.source == ("parquet:raw" if name == "adult" else "parquet:prepared")
    assert dataset.features.dtype == torch.float32


@pytest.mark.data
@pytest.mark.parametrize("name", BALANCED)
def test_shares_of_class_1_are_those_of_the_paper(load, name):
    share = load(name).labels.double().mean()
    assert share == pytest.approx(POSITIVE[name], abs=0.5e-4)


@pytest.mark.data
def test_the_share_of_class_1_of_adult_is_that_of_the_paper(load):
    dataset = load("adult")
    labels = torch.cat([dataset.labels, dataset.test_labels])
    assert labels.sum() == 7_841
    assert labels.double().mean() == pytest.approx(0.241, abs=0.5e-3)


@pytest.mark.data
@pytest.mark.parametrize("name", BALANCED)
def test_means_and_deviations_are_those_of_the_paper(load, name):
    columns = numeric(load(name).units)
    for column, (mean, deviation) in STATISTICS[name].items():
        assert columns[column].mean == pytest.approx(mean, rel=5e-5, abs=0.5e-4)
        assert columns[column].deviation == pytest.approx(deviation, rel=5e-5, abs=5e-5)


@pytest.mark.data
@pytest.mark.parametrize("name", TABLES)
def test_numeric_inputs_of_the_pool_are_standardised(load, name):
    dataset = load(name)
    places = [dataset.units.inputs[column][0] for column in numeric(dataset.units)]
    inputs = dataset.features[:, places].double()
    assert torch.allclose(inputs.mean(0), torch.zeros(len(places)).double(), atol=1e-5)
    assert torch.allclose(inputs.std(0), torch.ones(len(places)).double(), atol=1e-5)


@pytest.mark.data
@pytest.mark.parametrize("name", TABLES)
def test_inputs_are_in_the_order_of_the_paper(load, name):
    dataset = load(name)
    column, place = PROTECTED[name]
    assert dataset.feature_names[place - 1] == column
    assert dataset.units.inputs[column] == (place - 1,)
    groups = {
        column: len(inputs)
        for column, inputs in dataset.units.inputs.items()
        if column not in numeric(dataset.units)
    }
    assert groups == LEVELS[name]
    assert [len(group) for group in dataset.constraints.groups] == list(groups.values())


@pytest.mark.data
def test_inputs_of_credit_default_are_at_their_printed_places(load):
    inputs = load("credit_default").units.inputs
    first_and_last = {
        "LIMIT_BAL": (1, 1),
        "SEX": (2, 3),
        "EDUCATION": (4, 10),
        "MARRIAGE": (11, 14),
        "AGE": (15, 15),
        "PAY_0": (16, 16),
        "PAY_6": (21, 21),
        "BILL_AMT1": (22, 22),
        "BILL_AMT6": (27, 27),
        "PAY_AMT1": (28, 28),
        "PAY_AMT6": (33, 33),
    }
    for column, (first, last) in first_and_last.items():
        assert (inputs[column][0] + 1, inputs[column][-1] + 1) == (first, last)
    names = load("credit_default").feature_names
    assert names[3:10] == tuple(f"EDUCATION={level}" for level in range(7))
    assert names[10:14] == tuple(f"MARRIAGE={level}" for level in range(4))


@pytest.mark.data
def test_missing_values_of_adult_are_a_level_and_education_num_is_no_group(load):
    dataset = load("adult")
    unknown = [name for name in dataset.feature_names if name.endswith("=?")]
    assert unknown == ["workclass=?", "occupation=?", "native_country=?"]
    (place,) = dataset.units.inputs["education_num"]
    assert all(place not in group for group in dataset.constraints.groups)


@pytest.mark.data
@pytest.mark.parametrize("name", TABLES)
def test_rows_decode_to_those_of_the_file(load, name, data_root):
    dataset = load(name)
    stem = "adult" if name == "adult" else f"{name}_taija"
    stored = pd.read_parquet(data_root / f"{stem}.parquet")
    stored = stored.rename(columns=lambda column: column.replace("-", "_"))
    if name == "adult":
        stored = stored[stored["split"] == "train"].fillna("?")
    decoded = dataset.units.decode(torch.cat([dataset.features, dataset.test_features]))
    for column in decoded:
        if column in numeric(dataset.units):
            found, expected = decoded[column], stored[column].astype(float)
            assert (found - expected).abs().max() <= 1e-4 * expected.std()
        else:
            assert decoded[column].tolist() == stored[column].tolist()


@pytest.mark.data
@pytest.mark.parametrize("name", TABLES)
def test_a_saved_codec_encodes_as_the_fitted_one(load, name):
    dataset = load(name)
    restored = Codec.from_dict(json.loads(json.dumps(dataset.units.to_dict())))
    assert restored == dataset.units
    again = restored.encode(restored.decode(dataset.test_features))
    assert torch.allclose(again, dataset.test_features, atol=2e-6, rtol=2e-6)


@pytest.mark.data
@pytest.mark.parametrize("name", TABLES)
def test_the_protected_feature_of_the_paper_can_be_fixed_by_name(name, data_root):
    column, place = PROTECTED[name]
    table = spec(name, str(data_root))
    limits = replace(table, mutability={column: "immutable"}).load().constraints
    for flags in (limits.may_increase, limits.may_decrease):
        assert flags.logical_not().nonzero().flatten().tolist() == [place - 1]


# From the raw tables


@pytest.mark.data
@pytest.mark.parametrize("name", BALANCED)
def test_raw_tables_are_balanced_to_the_size_of_the_paper(load, name):
    dataset = load(name, raw=True)
    inputs, pool, test = SIZES[name]
    assert dataset.source == "parquet:raw"
    assert dataset.features.shape == (pool, inputs)
    assert dataset.test_features.shape == (test, inputs)
    labels = torch.cat([dataset.labels, dataset.test_labels])
    assert labels.double().mean() == 0.5
    assert dataset.feature_names == load(name).feature_names


@pytest.mark.data
@pytest.mark.parametrize("name", BALANCED)
def test_the_smaller_class_is_the_same_in_raw_and_prepared_tables(load, name):
    """Class 0 is the smaller one everywhere; undersampling keeps all of it."""
    prepared, raw = (_class_0(load(name, raw=raw)) for raw in (False, True))
    for column in prepared:
        left, right = (
            frame[column].sort_values().to_numpy() for frame in (prepared, raw)
        )
        assert left == pytest.approx(right, rel=1e-3, abs=1e-3 * right.std())


def _class_0(dataset: Dataset) -> pd.DataFrame:
    rows = dataset.units.decode(torch.cat([dataset.features, dataset.test_features]))
    labels = torch.cat([dataset.labels, dataset.test_labels])
    return rows[(labels == 0).numpy()].apply(pd.to_numeric)


def as_openml(name: str, root: Path) -> pd.DataFrame:
    """The table in the form in which, by public code, OpenML has it."""
    if name == "california_housing":
        frame = pd.read_parquet(root / "california_housing_raw.parquet")
        changed = {"housing_median_age": "housingMedianAge"} | {
            f"{left}_{right}": f"{left}{right.title()}"
            for left in ("total", "median")
            for right in ("rooms", "bedrooms", "income")
        }
        changed["median_house_value"] = "medianHouseValue"
        return frame.rename(columns=changed)
    frame = pd.read_parquet(root / f"{name}.parquet")
    if name == "adult":
        frame = pd.concat([frame[32_561:], frame[:32_561]], ignore_index=True)
        frame = frame.drop(columns="split").rename(columns={"income": "class"})
        frame = frame.rename(columns=lambda column: column.replace("_", "-"))
        texts = [column for column in frame if frame[column].dtype.kind != "i"]
        return frame.astype(dict.fromkeys(texts, "category"))
    if name == "credit_default":
        frame = frame.set_axis([*(f"x{n}" for n in range(1, 24)), "y"], axis=1)
        return frame.astype({"y": "str"}).astype({"y": "category"})
    delinquent = frame.pop("SeriousDlqin2yrs").map({0: "No", 1: "Yes"})
    frame = frame.rename(
        columns=lambda column: column.replace("30_59", "30-59").replace(
            "60_89", "60-89"
        )
    )
    return frame.assign(FinancialDistressNextTwoYears=delinquent.astype("category"))


@pytest.mark.data
@pytest.mark.parametrize("name", TABLES)
def test_openml_gives_the_same_rows_as_the_raw_file(
    load, name, data_root, tmp_path, monkeypatch
):
    frame = as_openml(name, data_root)
    monkeypatch.setattr(sources, "cache", lambda: tmp_path)
    monkeypatch.setattr(sources, "fetch_openml_frame", lambda *_, **__: frame)
    assert spec(name).source() == "openml"
    remote, raw = spec(name).load(), load(name, raw=True)
    assert remote.source == "openml"
    assert torch.equal(remote.features, raw.features)
    assert torch.equal(remote.labels, raw.labels)
    assert torch.equal(remote.test_features, raw.test_features)
    assert torch.equal(remote.test_labels, raw.test_labels)
    assert remote.codec == raw.codec
