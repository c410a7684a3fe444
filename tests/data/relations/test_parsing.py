from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cftrain.data.relations.parsing import parsed
from cftrain.data.relations.relation import Relation
from cftrain.errors import DataError

NAMES = st.sampled_from(["a", "b", "Größe", "x_1", "a b", "a+b <= c", "it's", "3rd"])
NUMBERS = st.decimals(-1000, 1000, allow_nan=False, places=3)


def quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


@st.composite
def sides(draw) -> tuple[str, dict[str, Fraction], Fraction]:
    """A linear form as text, and its factors and number."""
    factors, number, text = {}, Fraction(0), ""
    for place in range(draw(st.integers(1, 4))):
        sign = draw(st.sampled_from("+-"))
        size = abs(draw(NUMBERS))
        value = Fraction(size) * (1 if sign == "+" else -1)
        name = draw(st.none() | NAMES)
        if name is None:
            number, term = number + value, f"{size}"
        else:
            factors[name] = factors.get(name, Fraction(0)) + value
            column = quoted(name)
            term = draw(st.sampled_from([f"{size}*{column}", f"{column} * {size}"]))
        space = draw(st.sampled_from(["", " ", "  "]))
        lead = "" if place == 0 and sign == "+" else sign
        text += f"{lead}{space}{term}{space}"
    return text, factors, number


@given(sides(), sides(), st.sampled_from(["<=", ">="]))
def test_a_relation_is_the_linear_form_that_it_says(left, right, comparison):
    turned = 1 if comparison == "<=" else -1
    expected = {
        name: turned * (left[1].get(name, 0) - right[1].get(name, 0))
        for name in {*left[1], *right[1]}
    }
    expected = {name: factor for name, factor in expected.items() if factor}
    text = f"{left[0]}{comparison}{right[0]}"
    if not expected:
        with pytest.raises(DataError, match="expected a column that matters"):
            parsed(text)
        return
    found = parsed(text)
    assert dict(found.factors) == expected
    assert found.bound == turned * (right[2] - left[2])


@given(st.text(alphabet="ab12.*+-<>=`' (", max_size=12))
def test_any_text_is_a_relation_or_refused(text):
    try:
        found = parsed(text)
    except DataError:
        return
    assert found.factors
    assert "<=" in text or ">=" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a < b", "expected <= or >=, which have a nearest row, got <"),
        ("a == b", "expected <= or >=, which have a nearest row, got =="),
        ("a <= b <= c", "expected one <= or >=, got 2"),
        ("a + b", "expected one <= or >=, got 0"),
        ("a * b <= 3", "got a product of columns"),
        ("2 * 3 * a <= 3", "got a product of numbers"),
        ("a / 2 <= 3", "expected +, - and * only, got /"),
        ("(a + b) <= 3", "expected +, - and * only, got ("),
        ("2 a <= 3", "expected + or - before 'a', got none"),
        ("a <= ", "expected something on both sides"),
        ("a + <= 3", "expected a number or a column, got the end"),
        ("a <= 1e999", "expected + or - before '9', got none"),
        ("a <= a", "expected a column that matters, got none"),
        ("1 <= 2", "expected a column that matters, got none"),
        ("if a increases then b increases", "expected one <= or >=, got 0"),
        ("__import__('os').system('ls') <= 1", "expected +, - and * only, got ("),
        ("a" * 3000 + " <= 1", "expected at most 2000 characters, got 3005"),
    ],
)
def test_what_is_not_linear_is_refused(text, said):
    with pytest.raises(DataError) as mistake:
        parsed(text)
    assert said in str(mistake.value)


def rows(*values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_numbers_count_as_they_are_written():
    """In floats 0.1 + 0.2 is more than 0.3."""
    assert 0.1 + 0.2 > 0.3
    relation = parsed("a + b <= 0.3")
    found = relation.broken(rows([0.1, 0.2], [0.1, 0.2000001], [0.1, np.nan]))
    assert found.tolist() == [False, True, False]


@given(
    st.lists(st.decimals(-9, 9, places=2), min_size=2, max_size=2),
    st.lists(st.decimals(-9, 9, places=2), min_size=2, max_size=2),
    st.decimals(-9, 9, places=2),
)
def test_broken_is_what_exact_arithmetic_says(factors, values, bound):
    relation = Relation(
        text="",
        factors=tuple(
            (name, Fraction(factor))
            for name, factor in zip("ab", factors, strict=True)
            if factor
        ),
        bound=Fraction(bound),
    )
    if not relation.factors:
        return
    kept = [v for v, factor in zip(values, factors, strict=True) if factor]
    total = sum(
        factor * Fraction(value)
        for (_, factor), value in zip(relation.factors, kept, strict=True)
    )
    (found,) = relation.broken(rows([float(value) for value in kept]))
    assert found == (total > Fraction(bound))
