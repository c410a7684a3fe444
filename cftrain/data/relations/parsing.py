"""Relations as people write them: `months_employed <= months_lived`, `a + 2*b <= 10`.

    relation = form ("<=" | ">=") form
    form     = [sign] term {sign term}
    term     = number | [number "*"] column | column "*" number

Names of columns are plain words, or stand in backticks or quotes. Nothing is evaluated.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from cftrain.data.relations.relation import Relation
from cftrain.errors import DataError

LONGEST = 2000
"""Characters of a relation: one that is longer was not written by a person."""

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|`(?P<ticked>[^`]+)`|\"(?P<double>[^\"]+)\"|'(?P<single>[^']+)'"
    r"|(?P<sign><=|>=|==|[-+*<>=/^()]))"
)
NAMES = ("name", "ticked", "double", "single")
COMPARISONS = ("<=", ">=")
EXAMPLE = "'a <= b' or 'a + 2*b <= 10'"


@dataclass(frozen=True)
class Token:
    """A number, the name of a column or a sign."""

    kind: str
    text: str


def parsed(text: str) -> Relation:
    """Returns the relation that a text says. Raises DataError."""
    try:
        return _relation(text)
    except DataError as mistake:
        raise DataError(
            f"expected a linear relation such as {EXAMPLE}, got {text[:200]!r}: "
            f"{mistake}"
        ) from mistake


def _relation(text: str) -> Relation:
    tokens = _tokens(text)
    places = [
        place
        for place, token in enumerate(tokens)
        if token.text in COMPARISONS
        if token.kind == "sign"
    ]
    if len(places) != 1:
        raise DataError(f"expected one <= or >=, got {len(places)}")
    left, left_number = _form(tokens[: places[0]])
    right, right_number = _form(tokens[places[0] + 1 :])
    turned = 1 if tokens[places[0]].text == "<=" else -1
    factors = {
        name: turned * (left.get(name, Fraction(0)) - right.get(name, Fraction(0)))
        for name in dict.fromkeys([*left, *right])
    }
    kept = tuple((name, factor) for name, factor in factors.items() if factor)
    if not kept:
        raise DataError("expected a column that matters, got none")
    bound = turned * (right_number - left_number)
    return Relation(text=" ".join(text.split()), factors=kept, bound=bound)


def _tokens(text: str) -> list[Token]:
    if len(text) > LONGEST:
        raise DataError(f"expected at most {LONGEST} characters, got {len(text)}")
    tokens, place, end = [], 0, len(text.rstrip())
    while place < end:
        found = TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise DataError(
                f"expected numbers, columns, +, -, *, <= and >=, got "
                f"{text[place:].strip()[:20]!r}; other names stand in backticks"
            )
        kind = "name" if found.lastgroup in NAMES else found.lastgroup
        token = Token(kind, found[found.lastgroup])
        if kind == "sign" and token.text not in (*COMPARISONS, "+", "-", "*"):
            raise DataError(_of_sign(token.text))
        tokens.append(token)
        place = found.end()
    return tokens


def _of_sign(sign: str) -> str:
    if set(sign) <= set("<>="):
        return f"expected <= or >=, which have a nearest row, got {sign}"
    return f"expected +, - and * only, got {sign}"


def _form(tokens: list[Token]) -> tuple[dict[str, Fraction], Fraction]:
    """The factors of the columns of one side, and its number."""
    factors: dict[str, Fraction] = defaultdict(Fraction)
    number, rest = Fraction(0), list(tokens)
    if not rest:
        raise DataError("expected something on both sides, got nothing on one")
    while rest:
        sign = _sign(rest, first=len(rest) == len(tokens))
        factor, name = _term(rest)
        if name is None:
            number += sign * factor
        else:
            factors[name] += sign * factor
    return factors, number


def _sign(rest: list[Token], *, first: bool) -> int:
    """Takes the sign before a term, which the first one need not have."""
    if rest[0].kind == "sign" and rest[0].text in "+-":
        return -1 if rest.pop(0).text == "-" else 1
    if not first:
        raise DataError(f"expected + or - before {rest[0].text!r}, got none")
    return 1


def _term(rest: list[Token]) -> tuple[Fraction, str | None]:
    """Takes a term: a factor, and the column that it is one of."""
    first = _operand(rest)
    if not (rest and rest[0] == Token("sign", "*")):
        if first.kind == "number":
            return Fraction(first.text), None
        return Fraction(1), first.text
    rest.pop(0)
    second = _operand(rest)
    if first.kind == second.kind:
        what = "columns" if first.kind == "name" else "numbers"
        raise DataError(f"expected a number times a column, got a product of {what}")
    number, name = (first, second) if first.kind == "number" else (second, first)
    return Fraction(number.text), name.text


def _operand(rest: list[Token]) -> Token:
    if not rest or rest[0].kind == "sign":
        got = repr(rest[0].text) if rest else "the end"
        raise DataError(f"expected a number or a column, got {got}")
    return rest.pop(0)
