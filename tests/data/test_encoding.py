import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cftrain.data.columns import CategoricalColumn, NumericColumn
from cftrain.data.encoding import Codec, fit_codec, identity_codec
from cftrain.errors import DataError

KINDS = {
    "age": "numeric",
    "job": "categorical",
    "code": "categorical",
    "debt": "numeric",
}
FEATURES = ("age", "job=clerk", "job=nurse", "code=1", "code=2", "code=10", "debt")


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "debt": [0.5, 1.5, 0.5, 2.5],
            "job": ["nurse", "clerk", "nurse", "nurse"],
            "age": [20, 30, 40, 50],
            "code": [10, 2, 1, 2],
        }
    )


def fitted(**changes: list) -> Codec:
    frame = people().assign(**changes)
    return fit_codec(frame, KINDS, levels={}, standardise=True)


def test_inputs_are_standardised_by_the_sample_deviation_and_one_hot():
    encoded = fitted().encode(people())
    deviation = np.sqrt((15**2 + 5**2) * 2 / 3)
    expected = torch.tensor(
        [
            [-15 / deviation, 0, 1, 0, 0, 1],
            [-5 / deviation, 1, 0, 0, 1, 0],
            [5 / deviation, 0, 1, 1, 0, 0],
            [15 / deviation, 0, 1, 0, 1, 0],
        ]
    )
    assert encoded.dtype == torch.float32
    assert torch.allclose(encoded[:, :6], expected.float())
    assert torch.allclose(encoded[:, 6].mean(), torch.zeros(()), atol=1e-7)
    assert torch.allclose(encoded[:, 6].std(), torch.ones(()))


def test_inputs_follow_the_kinds_and_levels_are_sorted_numbers_as_numbers():
    codec = fitted()
    assert codec.feature_names == FEATURES
    assert codec.inputs == {"age": (0,), "job": (1, 2), "code": (3, 4, 5), "debt": (6,)}
    assert codec.groups == ((1, 2), (3, 4, 5))


def test_the_order_of_levels_can_be_given():
    codec = fit_codec(
        people(), KINDS, levels={"code": ["10", "1", "2"]}, standardise=True
    )
    assert codec.feature_names[3:6] == ("code=10", "code=1", "code=2")
    assert codec.decode(codec.encode(people()))["code"].tolist() == [10, 2, 1, 2]


@pytest.mark.parametrize("wanted", [["1", "2"], ["1", "2", "10", "11"]])
def test_given_levels_must_be_those_of_the_pool(wanted):
    with pytest.raises(DataError, match=r"'code': expected the levels .*got 1, 2, 10"):
        fit_codec(people(), KINDS, levels={"code": wanted}, standardise=True)


def test_unscaled_columns_stay_as_they_are():
    codec = fit_codec(people(), KINDS, levels={}, standardise=False)
    assert codec.encode(people())[:, 0].tolist() == [20, 30, 40, 50]


@pytest.mark.parametrize("restored", [False, True])
def test_decoding_undoes_encoding_also_after_json(restored):
    codec = fitted()
    if restored:
        copy = Codec.from_dict(json.loads(json.dumps(codec.to_dict())))
        assert copy == codec
        codec = copy
    decoded = codec.decode(codec.encode(people()))
    assert list(decoded) == list(KINDS)
    pd.testing.assert_frame_equal(
        decoded.astype({"job": "str", "code": "int64", "age": "int64"}),
        people()[list(KINDS)].astype({"job": "str"}),
    )


@given(st.lists(st.floats(-30, 30, width=32), min_size=7, max_size=7))
def test_any_point_decodes_to_valid_categories_and_back_to_one_hot(point):
    codec = fitted()
    decoded = codec.decode(torch.tensor([point]))
    assert decoded["job"][0] in ("clerk", "nurse")
    assert decoded["code"][0] in (1, 2, 10)
    again = codec.encode(decoded)
    assert torch.allclose(again[0, [0, 6]], torch.tensor(point)[[0, 6]], atol=1e-5)
    for group in codec.groups:
        best = torch.tensor(point)[list(group)].argmax()
        assert again[0, list(group)].tolist() == [
            float(place == best) for place in range(len(group))
        ]


def test_whole_numbers_are_the_same_level_however_they_are_stored():
    codec = fitted()
    as_floats = people().assign(code=[10.0, 2.0, 1.0, 2.0])
    assert torch.equal(codec.encode(as_floats), codec.encode(people()))


def test_zeros_decode_to_zeros():
    codec = fit_codec(
        pd.DataFrame({"delays": [0, 0, 3, 96]}),
        {"delays": "numeric"},
        levels={},
        standardise=True,
    )
    decoded = codec.decode(codec.encode(pd.DataFrame({"delays": [0, 3]})))["delays"]
    assert decoded.tolist() == [0.0, 3.0]
    assert not np.signbit(decoded).any()


def test_the_mean_of_numbers_that_hardly_differ_decodes_to_itself():
    """Float32 numbers are so dense there that their distance is none in float32."""
    shares = pd.DataFrame({"share": [-0.1, 0.0, 0.1]})
    codec = fit_codec(shares, {"share": "numeric"}, levels={}, standardise=True)
    decoded = codec.decode(codec.encode(shares))["share"]
    assert decoded.tolist() == [-0.1, 0.0, 0.1]


def test_a_category_that_the_pool_does_not_have_is_refused():
    with pytest.raises(DataError, match=r"'job': expected .*'nurse'.*got 'pilot'"):
        fitted().encode(people().assign(job=["nurse", "pilot", "clerk", "nurse"]))


def test_all_mistakes_of_raw_rows_are_told_at_once():
    rows = people().drop(columns="age").assign(job="pilot", debt=[1, 2, None, 4])
    with pytest.raises(DataError) as caught:
        fitted().encode(rows)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert "expected column 'age', got 'debt', 'job', 'code'" in lines[0]
    assert "'pilot'" in lines[1]
    assert "'debt': expected no missing values, got 1" in lines[2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"age": [3] * 4}, r"'age': expected at least 2 different values.*got 3\b"),
        ({"job": ["nurse"] * 4}, r"'job': expected at least 2 .*got 'nurse'"),
        ({"age": ["a", "b", "c", "d"]}, r"'age': expected numbers, got"),
        ({"age": [1.0, 2.0, np.inf, 4.0]}, r"'age': expected finite .*got 1 rows"),
        ({"age": [1.0, 2.0, np.nan, 4.0]}, r"'age': expected no missing .*got 1"),
    ],
)
def test_columns_that_cannot_be_fitted_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        fitted(**changes)


def test_all_mistakes_of_a_pool_are_told_at_once():
    with pytest.raises(DataError) as caught:
        fitted(age=[3] * 4, job=["nurse"] * 4)
    assert len(str(caught.value).splitlines()) == 2


def test_points_of_another_width_are_refused():
    with pytest.raises(DataError, match="expected 7 features, got 6"):
        fitted().decode(torch.zeros(2, 6))


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"columns": [{"name": "age"}]},
        {"columns": [{"kind": "ordinal", "name": "age"}]},
        {"columns": [{"kind": "numeric", "name": "age", "mean": 1.0}]},
    ],
)
def test_what_is_no_saved_codec_is_refused(saved):
    with pytest.raises(DataError, match="codec: expected"):
        Codec.from_dict(saved)


def test_an_identity_codec_changes_nothing():
    codec = identity_codec(("x1", "x2"))
    frame = pd.DataFrame({"x1": [0.25, -3.0], "x2": [1.5, 0.0]})
    assert torch.equal(codec.encode(frame), torch.tensor([[0.25, 1.5], [-3.0, 0.0]]))
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)


def test_columns_describe_themselves_in_plain_values():
    numeric = NumericColumn(name="age", mean=35.0, deviation=10.0, decimals=0)
    category = CategoricalColumn(name="code", levels=(1, 2, "?"))
    assert Codec(columns=(numeric, category)).to_dict() == {
        "columns": [
            {
                "kind": "numeric",
                "name": "age",
                "mean": 35.0,
                "deviation": 10.0,
                "decimals": 0,
            },
            {"kind": "categorical", "name": "code", "levels": [1, 2, "?"]},
        ]
    }
