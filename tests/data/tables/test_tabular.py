from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from cftrain.config.build import build_object
from cftrain.config.identity import describe
from cftrain.data import sources
from cftrain.data.constraints import inferred_domain
from cftrain.data.dataset import Dataset, check_identity
from cftrain.data.order import order_warning, sortedness
from cftrain.data.tables import origins
from cftrain.data.tables.cleaning import undersampled
from cftrain.data.tables.labels import ByMedian, ByThreshold, ByValue, LabelRule
from cftrain.data.tables.origins import OpenmlOrigin, ParquetOrigin
from cftrain.data.tables.tabular import Tabular
from cftrain.errors import ConfigError, DataError

ROWS = 50
PAID = ByValue(column="paid", values=("no", "yes"))
PARQUET = ParquetOrigin(
    stem="loans",
    rows=ROWS,
    names={},
    only={},
    label=PAID,
    balance_seed=None,
    shuffle_seed=None,
)
OPENML = OpenmlOrigin(
    data_id=7,
    version=1,
    rows=ROWS,
    names={"paid": "class"},
    ratios={"debt": ("owed", "income")},
    row_range=None,
    only={},
    label=PAID,
    balance_seed=None,
    shuffle_seed=None,
    network_timeout_seconds=0.2,
)


def loans() -> pd.DataFrame:
    """20 of 50 loans paid back; every job and every code in the first 40 rows."""
    place = np.arange(ROWS)
    return pd.DataFrame(
        {
            "age": 20 + place,
            "job": np.array(["nurse", "clerk", "baker"])[place % 3],
            "debt": (place % 7) / 4,
            "code": place % 2 + 1,
            "paid": np.where(place % 5 < 2, "yes", "no"),
            "part": np.where(place < 30, "old", "new"),
        }
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no network."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(sources, "cache", lambda: folder)

    def refuse(*_: object, **__: object) -> None:
        raise sources.Unavailable("no network in tests")

    monkeypatch.setattr(sources, "fetch_openml_frame", refuse)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    return folder


def spec(root: Path, frame: pd.DataFrame | None = None, **changes: object) -> Tabular:
    """A specification of the loans, after writing them to the folder."""
    (loans() if frame is None else frame).to_parquet(root / "loans.parquet")
    plain = Tabular(
        name="loans",
        training_rows=30,
        validation_rows=10,
        pool_share=0.8,
        root=str(root),
        prepared=None,
        raw=PARQUET,
        openml=None,
        columns={"age": "numeric", "job": "categorical", "debt": "numeric"},
        levels={},
        encoded={},
        missing={},
        standardise=True,
        domain_deviations=2.0,
        domain={},
        mutability={},
        relations=(),
        weight=None,
        broken_relations="refuse",
    )
    return replace(plain, **changes)


def fetched(table: Tabular) -> Dataset:
    """What commands do: find or fetch the source, then load what is here."""
    identity = table.identity()
    dataset = table.load()
    check_identity(dataset, identity)
    return dataset


def raw(dataset: Dataset) -> pd.DataFrame:
    """Pool and test rows in raw units."""
    return dataset.units.decode(torch.cat([dataset.features, dataset.test_features]))


def missing_in(column: str, *rows: int) -> pd.DataFrame:
    frame = loans().astype({column: object})
    frame.loc[list(rows), column] = None
    return frame


# Rows


def test_the_first_share_is_the_pool_and_the_rest_the_test_set(root):
    dataset = spec(root).load()
    assert dataset.features.shape == (40, 5)
    assert dataset.test_features.shape == (10, 5)
    assert dataset.feature_names == (
        "age",
        "job=baker",
        "job=clerk",
        "job=nurse",
        "debt",
    )
    assert raw(dataset)["age"].tolist() == loans()["age"].tolist()
    assert raw(dataset)["job"].tolist() == loans()["job"].tolist()
    labels = torch.cat([dataset.labels, dataset.test_labels])
    assert labels.tolist() == (loans()["paid"] == "yes").astype(int).tolist()


def test_fewer_rows_than_the_share_are_its_first_and_share_its_statistics(root):
    whole, part = spec(root).load(), spec(root, training_rows=6).load()
    assert torch.equal(part.features, whole.features[:16])
    assert torch.equal(part.test_features, whole.test_features)
    assert part.codec == whole.codec


def test_more_rows_than_the_share_are_refused(root):
    with pytest.raises(DataError, match=r"expected at most 40 training .*got 41"):
        spec(root, training_rows=31).load()


def test_statistics_and_domain_come_from_the_pool_alone(root):
    frame = loans()
    frame.loc[40:, "age"] = 1_000_000
    dataset = spec(root, frame).load()
    assert torch.allclose(dataset.features[:, 0].mean(), torch.zeros(()), atol=1e-6)
    assert torch.allclose(dataset.features[:, 0].std(), torch.ones(()))
    lower, upper = inferred_domain(dataset.features, 2.0)
    assert torch.equal(dataset.constraints.lower, lower)
    assert torch.equal(dataset.constraints.upper, upper)


def test_only_keeps_the_rows_with_a_value(root):
    only = replace(PARQUET, only={"part": "old"})
    dataset = spec(root, raw=only, training_rows=14).load()
    assert len(raw(dataset)) == 30
    with pytest.raises(DataError, match=r"rows with 'older' .*got 'old', 'new'"):
        spec(root, raw=replace(PARQUET, only={"part": "older"})).load()


def test_balanced_rows_are_seeded_complete_and_in_a_random_order(root):
    balanced = spec(root, raw=replace(PARQUET, balance_seed=3), training_rows=22)
    dataset = balanced.load()
    labels = torch.cat([dataset.labels, dataset.test_labels])
    assert labels.bincount().tolist() == [20, 20]
    ages = raw(dataset)["age"].tolist()
    assert len(set(ages)) == 40
    assert ages != sorted(ages)
    truth = dict(zip(loans()["age"], loans()["paid"] == "yes", strict=True))
    assert labels.tolist() == [int(truth[round(age)]) for age in ages]
    again = balanced.load()
    assert torch.equal(again.features, dataset.features)
    other = replace(balanced, raw=replace(PARQUET, balance_seed=4)).load()
    assert not torch.equal(other.features, dataset.features)


def test_undersampling_keeps_all_rows_of_the_smallest_class():
    labels = np.array([0] * 50 + [1] * 5 + [2] * 20)
    rows = undersampled(labels, seed=1)
    assert np.bincount(labels[rows]).tolist() == [5, 5, 5]
    assert set(range(50, 55)) <= set(rows.tolist())
    assert len(set(rows.tolist())) == 15


def by_label() -> pd.DataFrame:
    """The loans sorted by their label, as an export of two queries would be."""
    return loans().sort_values("paid", kind="stable").reset_index(drop=True)


def test_shuffled_rows_are_seeded_and_all_there(root):
    shuffled = spec(root, raw=replace(PARQUET, shuffle_seed=3))
    dataset = shuffled.load()
    ages = raw(dataset)["age"].tolist()
    assert ages != loans()["age"].tolist()
    assert sorted(ages) == loans()["age"].tolist()
    truth = dict(zip(loans()["age"], loans()["paid"] == "yes", strict=True))
    labels = torch.cat([dataset.labels, dataset.test_labels])
    assert labels.tolist() == [int(truth[round(age)]) for age in ages]
    assert torch.equal(shuffled.load().features, dataset.features)
    other = replace(shuffled, raw=replace(PARQUET, shuffle_seed=4)).load()
    assert not torch.equal(other.features, dataset.features)


@pytest.mark.parametrize("seed", range(5))
def test_a_table_sorted_by_its_label_is_split_and_mixed_like_any_other(root, seed):
    frame = pd.concat([by_label()] * 8).sort_values("paid", kind="stable")
    whole = replace(PARQUET, rows=None)
    wanted = {"training_rows": 300, "validation_rows": 20}
    with pytest.raises(DataError, match="rows of all 2 classes"):
        spec(root, frame, raw=whole, pool_share=0.5, training_rows=150).load()
    dataset = spec(root, frame, raw=replace(whole, shuffle_seed=seed), **wanted).load()
    assert dataset.test_labels.unique().tolist() == [0, 1]
    assert sortedness(dataset.labels, 20) < 0.25
    assert order_warning(dataset, 20) is None
    kept = spec(root, frame, raw=whole, **wanted).load()
    assert kept.test_labels.unique().tolist() == [1]
    assert "far from a random order" in str(order_warning(kept, 20))


def test_balanced_rows_are_not_shuffled_again():
    with pytest.raises(ConfigError, match="expected shuffle_seed to be null where"):
        replace(PARQUET, balance_seed=1, shuffle_seed=1)


# Labels


@pytest.mark.parametrize("written", [(2, 1), ("2", "1")])
def test_levels_may_be_written_as_numbers(root, written):
    codes = ByValue(column="code", values=written)
    assert describe(codes)["values"] == ["2", "1"]
    jobs = {"job": ("nurse", "clerk", "baker")}
    labelled = spec(
        root,
        raw=replace(PARQUET, label=codes),
        levels=jobs,
        columns={"age": "numeric", "job": "categorical"},
    )
    by_age = replace(PARQUET, label=ByMedian(column="age"))
    coded = spec(
        root,
        raw=by_age,
        levels={**jobs, "code": written},
        columns={"job": "categorical", "code": "categorical"},
    )
    assert describe(coded)["levels"]["code"] == ["2", "1"]
    inputs = coded.load()
    assert inputs.feature_names[-2:] == ("code=2", "code=1")
    assert (inputs.features[:, -1].long() == labelled.load().labels).all()
    only = replace(PARQUET, label=codes, only={"code": written[0]}, rows=None)
    assert describe(only)["only"] == {"code": "2"}
    with pytest.raises(DataError, match=r"all 2 classes"):
        replace(labelled, raw=only, training_rows=10, validation_rows=4).load()


def test_levels_may_be_written_as_truth_values():
    rule = ByValue(column="owns", values=(True, False))
    assert rule.labels(pd.Series([True, False, True])).tolist() == [0, 1, 0]
    assert describe(rule) == describe(ByValue(column="owns", values=("1", 0)))
    with pytest.raises(DataError, match="quote them"):
        ByValue(column="paid", values=(False, True)).labels(pd.Series(["no", "yes"]))


def test_levels_are_read_from_yaml_as_they_are_written():
    node = {"_target_": "by_value", "column": "code"}
    for written in ([2, 1], ["2", "1"]):
        rule = build_object({**node, "values": written}, LabelRule, "label")
        assert rule == ByValue(column="code", values=("2", "1"))
    with pytest.raises(ConfigError, match=r"values\.1: expected a text, got 1\.5"):
        build_object({**node, "values": [2, 1.5]}, LabelRule, "label")


def test_label_rules():
    prices = pd.Series([1.0, 4.0, 2.0, 3.0])
    assert ByMedian(column="price").labels(prices).tolist() == [0, 1, 0, 1]
    above = ByThreshold(column="price", threshold=4.0)
    assert above.labels(prices).tolist() == [0, 1, 0, 0]
    codes = ByValue(column="code", values=("3", "1", "2"))
    assert codes.classes == 3
    assert codes.labels(pd.Series([1, 2, 3, 1])).tolist() == [1, 2, 0, 1]
    assert codes.labels(pd.Series([1.0, 2.0])).tolist() == [1, 2]


def test_a_label_that_no_class_has_is_refused(root):
    frame = loans().replace({"paid": {"yes": "yes."}})
    with pytest.raises(DataError, match=r"'paid': expected one of .*got 'yes\.'"):
        spec(root, frame).load()
    with pytest.raises(DataError, match="'paid': expected one of"):
        spec(root, missing_in("paid", 3)).load()


def test_a_pool_without_one_of_the_classes_is_refused(root):
    with pytest.raises(DataError, match=r"rows of all 2 classes.*got \[40, 0\]"):
        spec(root, loans().assign(paid=["no"] * 40 + ["yes"] * 10)).load()


# Missing values, categories and constants


@pytest.mark.parametrize("column", ["age", "job"])
def test_missing_values_are_refused_unless_the_spec_says_what_to_do(root, column):
    with pytest.raises(
        DataError, match=f"'{column}': expected no .*got 2; data.missing"
    ):
        spec(root, missing_in(column, 1, 45)).load()


def test_rows_with_missing_values_can_be_dropped(root):
    frame = missing_in("age", 1, 45)
    dataset = spec(root, frame, missing={"age": "drop_rows"}, training_rows=28).load()
    assert len(dataset.features) == 38
    assert raw(dataset)["age"].tolist() == loans().drop([1, 45])["age"].tolist()


@pytest.mark.parametrize("column", ["job", "code"])
def test_missing_categories_can_be_a_level_of_their_own(root, column):
    dataset = spec(
        root,
        missing_in(column, 1, 45),
        columns={column: "categorical"},
        missing={column: "own_level"},
    ).load()
    assert f"{column}=?" in dataset.feature_names
    decoded = raw(dataset)[column]
    assert decoded[decoded == "?"].index.tolist() == [1, 45]
    assert decoded.drop([1, 45]).tolist() == loans()[column].drop([1, 45]).tolist()
    rows = pd.DataFrame({column: [None, decoded[0]]})
    assert dataset.units.decode(dataset.units.encode(rows))[column][0] == "?"


def test_a_category_of_test_rows_that_the_pool_does_not_have_is_refused(root):
    frame = loans()
    frame.loc[45, "job"] = "pilot"
    with pytest.raises(DataError, match=r"loans.*\n.*'job': .*got 'pilot'"):
        spec(root, frame).load()


def test_a_constant_column_is_refused(root):
    with pytest.raises(DataError, match=r"'age': .*got 3\b.*constant"):
        spec(root, loans().assign(age=3)).load()


def test_levels_can_be_listed(root):
    listed = spec(root, levels={"job": ("nurse", "clerk", "baker")}).load()
    assert listed.feature_names[1:4] == ("job=nurse", "job=clerk", "job=baker")


def encoded_jobs() -> pd.DataFrame:
    dummies = pd.get_dummies(loans()["job"]).astype(int)
    return pd.concat([loans().drop(columns="job"), dummies], axis=1)


def test_a_column_that_is_encoded_in_the_file_is_a_category(root):
    members = ("clerk", "baker", "nurse")
    dataset = spec(root, encoded_jobs(), encoded={"job": members}).load()
    assert torch.equal(dataset.features, spec(root).load().features)
    assert dataset.constraints.groups == ((1, 2, 3),)


def test_an_encoded_column_that_is_not_one_hot_is_refused(root):
    frame = encoded_jobs()
    frame.loc[7, ["clerk", "baker"]] = 1
    members = ("clerk", "baker", "nurse")
    with pytest.raises(DataError, match=r"encoded\.job.*got 1 rows .*\[1, 1, 0\]"):
        spec(root, frame, encoded={"job": members}).load()


# Constraints


def test_mutability_is_by_name_and_a_category_stands_for_its_group(root):
    limits = spec(root, mutability={"age": "increase", "job": "immutable"})
    constraints = limits.load().constraints
    assert constraints.may_increase.tolist() == [True, False, False, False, True]
    assert constraints.may_decrease.tolist() == [False, False, False, False, True]
    assert constraints.groups == ((1, 2, 3),)


def test_explicit_bounds_are_in_raw_units_and_others_stay_inferred(root):
    plain = spec(root).load()
    dataset = spec(root, domain={"age": (18.0, None), "debt": (-1.0, 2.5)}).load()
    age, *_, debt = dataset.units.columns
    lower, upper = dataset.constraints.lower, dataset.constraints.upper
    assert lower[0] == pytest.approx(age.scaled(18.0))
    assert upper[0] == torch.inf
    assert [lower[4], upper[4]] == pytest.approx([debt.scaled(-1.0), debt.scaled(2.5)])
    assert torch.equal(lower[1:4], plain.constraints.lower[1:4])


def test_no_deviations_no_domain(root):
    constraints = spec(root, domain_deviations=None).load().constraints
    assert constraints.lower.isneginf().all()
    assert constraints.upper.isposinf().all()


def test_all_mistakes_in_constraints_are_told_at_once(root):
    mistaken = spec(
        root,
        mutability={"agee": "immutable", "job": "increase", "job=clerk": "immutable"},
        domain={"jobs": (0, 1), "job": (0, 1), "age": (60, 20), "debt": (100, None)},
    )
    with pytest.raises(ConfigError) as caught:
        mistaken.load()
    by_key = dict(mistake.split(": ", 1) for mistake in caught.value.mistakes)
    assert len(by_key) == 7
    assert "did you mean 'age'" in by_key["data.mutability.agee"]
    assert "free, immutable" in by_key["data.mutability.job"]
    assert "name the whole column, 'job'" in by_key["data.mutability.job=clerk"]
    assert "one of 'age', 'job', 'debt', got 'jobs'" in by_key["data.domain.jobs"]
    assert "a numeric column" in by_key["data.domain.job"]
    assert "low < high, got [60, 20]" in by_key["data.domain.age"]
    assert " to 1.5), got [100, inf]" in by_key["data.domain.debt"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (((0, 1),), r"one-hot group 'age', 'job=baker', got 40 rows without"),
        (((1, 2),), r"one-hot group 'job=baker', 'job=clerk', got"),
        (((1, 2, 3), (3, 4)), "none of them in two groups"),
        (((1,),), "at least 2 different features"),
        (((4, 5),), "expected features 0 to 4"),
    ],
)
def test_groups_that_are_not_one_hot_are_refused(root, groups, message):
    dataset = spec(root).load()
    with pytest.raises(DataError, match=message):
        replace(dataset, constraints=replace(dataset.constraints, groups=groups))


def test_groups_of_which_a_part_may_not_move_are_refused(root):
    limits = spec(root).load().constraints
    fixed = torch.tensor([True, True, False, True, True])
    with pytest.raises(DataError, match=r"\(1, 2, 3\) to be all free or all immutable"):
        replace(limits, may_increase=fixed, may_decrease=fixed)


def test_groups_survive_a_move_to_another_type(root):
    limits = spec(root).load().constraints
    moved = limits.to(dtype=torch.float64, device=torch.device("cpu"))
    assert moved.groups == limits.groups


# Specification


def test_mistakes_in_a_specification_are_told_before_any_table_is_read(root):
    with pytest.raises(ConfigError) as caught:
        spec(
            root,
            raw=None,
            levels={"age": ("1", "2")},
            encoded={"jobs": ("a", "b")},
            missing={"ages": "refuse", "debt": "own_level"},
        )
    keys = [mistake.split(": ")[0] for mistake in caught.value.mistakes]
    assert keys == [
        "data",
        "data.levels.age",
        "data.encoded.jobs",
        "data.missing.ages",
        "data.missing.debt",
    ]


# Sources


def test_what_was_loaded_is_what_was_identified(root):
    table = spec(root)
    identity = table.identity()
    assert identity.startswith("parquet:raw:")
    assert table.load().identity == identity
    check_identity(table.load(), identity)
    loans()[::-1].to_parquet(root / "loans.parquet")
    changed = table.load()
    assert changed.identity == table.identity() != identity
    with pytest.raises(DataError, match=f"expected the data {identity}, got"):
        check_identity(changed, identity)


def test_a_file_that_is_swapped_while_it_is_read_has_one_content(root, monkeypatch):
    """Identity and rows are of the same bytes, whenever the file changes."""
    table = spec(root)
    before = table.load()
    parse = origins.read_columns

    def swapped(file: sources.File, names: list[str]) -> object:
        loans()[::-1].to_parquet(root / "loans.parquet")
        return parse(file, names)

    monkeypatch.setattr(origins, "read_columns", swapped)
    during = table.load()
    assert during.identity == before.identity != table.identity()
    assert torch.equal(during.features, before.features)


def test_a_prepared_table_is_preferred_and_has_its_own_names(root):
    prepared = loans().rename(columns={"age": "Age-years", "paid": "target"})
    prepared.to_parquet(root / "ready.parquet")
    ready = ParquetOrigin(
        stem="ready",
        rows=ROWS,
        names={"age": "Age-years"},
        only={},
        label=ByValue(column="target", values=("no", "yes")),
        balance_seed=None,
        shuffle_seed=None,
    )
    both = spec(root, prepared=ready)
    assert both.source() == both.load().source == "parquet:prepared"
    assert torch.equal(both.load().features, spec(root).load().features)
    (root / "ready.parquet").unlink()
    assert both.source() == both.load().source == "parquet:raw"


def test_the_cache_is_looked_up_after_the_root(root, cache):
    table = spec(root)
    cache.mkdir()
    (root / "loans.parquet").rename(cache / "loans.parquet")
    assert table.source() == "parquet:raw"
    assert replace(table, root=None).source() == "parquet:raw"


def test_a_table_that_is_nowhere_says_what_was_tried(root, cache):
    nowhere = spec(root, openml=OPENML)
    (root / "loans.parquet").unlink()
    assert nowhere.located() is None
    with pytest.raises(DataError) as caught:
        nowhere.identity()
    said = str(caught.value)
    for part in (
        "loans.parquet",
        str(root),
        str(cache),
        "OpenML table 7",
        "no network",
    ):
        assert part in said
    with pytest.raises(DataError, match=r"set data\.root or"):
        replace(nowhere, openml=None).source()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The loans as OpenML has them: other names, categories, a quotient apart."""
    frame = loans().rename(columns={"paid": "class"})
    frame = frame.assign(
        income=4.0, owed=frame["debt"] * 4, job=frame["job"].astype("category")
    ).drop(columns="debt")
    monkeypatch.setattr(sources, "fetch_openml_frame", lambda *_, **__: frame)
    return frame


def test_an_openml_table_is_kept_and_read_like_a_file(
    root, cache, published, monkeypatch
):
    expected = spec(root).load()
    (root / "loans.parquet").unlink()
    remote = replace(spec(root), raw=None, openml=OPENML)
    assert remote.located() is None
    with pytest.raises(DataError, match=r"expected openml-7\.parquet .*got none"):
        remote.load()
    dataset = fetched(remote)
    assert dataset.source == "openml"
    assert torch.equal(dataset.features, expected.features)
    assert torch.equal(dataset.labels, expected.labels)
    assert (cache / "openml-7.parquet").is_file()
    monkeypatch.delattr(sources, "fetch_openml_frame")
    assert remote.located() == remote.source() == "openml"
    assert torch.equal(remote.load().features, dataset.features)


def test_a_range_of_the_rows_of_openml_can_be_kept(root, published):
    part = replace(OPENML, row_range=(10, 40))
    dataset = fetched(spec(root, raw=None, openml=part, training_rows=14))
    assert raw(dataset)["age"].tolist() == list(range(30, 60))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 51}, "expected 51 rows .*got 50 rows"),
        ({"names": {"paid": "target"}}, "'target'.*got 50 rows and .*'class'"),
        ({"ratios": {"debt": ("owed", "wage")}}, "'wage'"),
    ],
)
def test_another_openml_table_is_not_kept(root, cache, published, changes, message):
    other = spec(root, raw=None, openml=replace(OPENML, **changes))
    with pytest.raises(DataError, match=message):
        other.source()
    assert not cache.exists()


def test_an_openml_table_that_no_file_can_hold_is_not_kept(
    root, cache, published, monkeypatch
):
    mixed = published.assign(age=pd.Series([1, "a"] * (ROWS // 2), dtype=object))
    monkeypatch.setattr(sources, "fetch_openml_frame", lambda *_, **__: mixed)
    with pytest.raises(DataError, match="expected plain columns, got"):
        spec(root, raw=None, openml=OPENML).source()
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_said(root, cache, published):
    cache.write_text("a file")
    with pytest.raises(DataError, match="the cache cannot be written"):
        spec(root, raw=None, openml=OPENML).source()


@pytest.mark.parametrize("note", [b"{", b"\xba", b'{"columns": [{}]}', b"[]"])
def test_notes_of_pandas_that_are_none_change_no_number(root, note):
    path, table = root / "loans.parquet", spec(root)
    whole = table.load()
    rows = pq.read_table(path)
    pq.write_table(rows.replace_schema_metadata({b"pandas": note}), path)
    assert torch.equal(table.load().features, whole.features)


def test_another_parquet_file_is_refused(root):
    with pytest.raises(DataError, match=r"loans\.parquet: expected 50 rows, got 49"):
        spec(root, loans()[:49]).load()
    with pytest.raises(DataError, match="expected columns debt, got only"):
        spec(root, loans().drop(columns="debt")).load()
    broken = spec(root)
    (root / "loans.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="expected a readable Parquet file"):
        broken.load()


def weighted(root: Path, weights: object, **changes: object) -> Tabular:
    """The loans with a column of weights."""
    frame = loans().assign(times=weights)
    return spec(root, frame, weight="times", **changes)


def test_weights_go_with_their_rows_and_are_no_input(root):
    frame = loans()
    times = np.where(frame["job"] == "nurse", 0.5, frame["age"])
    origin = replace(PARQUET, shuffle_seed=3)
    data = fetched(weighted(root, times, raw=origin))
    plain = fetched(spec(root, frame, raw=origin))
    assert torch.equal(data.features, plain.features)
    assert plain.weights is None
    raw = data.units.decode(data.features)
    ages = raw["age"].to_numpy().round()
    expected = np.where(raw["job"] == "nurse", 0.5, ages)
    assert data.weights is not None
    assert data.weights.tolist() == pytest.approx(expected.tolist())


def test_equal_weights_are_none(root):
    assert fetched(weighted(root, 0.1)).weights is None


def test_without_weights_a_table_is_what_it_was(root):
    described = describe(spec(root))
    assert "weight" not in described
    assert describe(weighted(root, 1))["weight"] == "times"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([-1.0, *[1] * 49], "numbers of 0 or more .* got 1 others, such as -1"),
        ([np.nan, *[1] * 49], "got 1 others, such as nan"),
        ([np.inf, *[1] * 49], "got 1 others, such as inf"),
        (0, "got 0 in all 40 rows that train or validate"),
        (["x"] * 50, "numbers of 0 or more .* could not convert"),
    ],
)
def test_what_is_no_weight_is_told(root, values, told):
    with pytest.raises(DataError, match=f"column 'times': expected .*{told}"):
        fetched(weighted(root, values))


def test_a_weight_is_neither_input_nor_label(root):
    with pytest.raises(ConfigError, match=r"data.weight: expected .* got 'debt'"):
        spec(root, weight="debt")
    with pytest.raises(ConfigError, match=r"and not data.weight, got 'paid'"):
        spec(root, weight="paid")
