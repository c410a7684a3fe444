import pytest

from cftrain import errors


def test_a_config_error_tells_all_mistakes_at_once():
    found = errors.ConfigError(["a: expected 1, got 2", "b: expected 3, got 4"])
    assert found.mistakes == ("a: expected 1, got 2", "b: expected 3, got 4")
    assert str(found) == "a: expected 1, got 2\nb: expected 3, got 4"
    assert errors.ConfigError("c").mistakes == ("c",)


def test_of_many_mistakes_the_first_are_told_and_all_are_counted():
    mistakes = errors.Mistakes(where="a.csv")
    mistakes.refuse()
    mistakes.add(f"line {line}" for line in range(22))
    mistakes.add(["line 22"])
    with pytest.raises(errors.DataError) as raised:
        mistakes.refuse()
    told = str(raised.value).splitlines()
    assert told == [*(f"a.csv: line {line}" for line in range(20)), "a.csv: and 3 more"]


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ConfigError, ValueError),
        (errors.DataError, ValueError),
        (errors.ModelError, ValueError),
        (errors.ArgumentError, TypeError),
        (errors.ExtraError, ImportError),
        (errors.StackError, ValueError),
        (errors.ResultError, RuntimeError),
    ],
)
def test_errors_are_also_builtin_ones(kind, builtin):
    assert issubclass(kind, builtin)
    assert issubclass(kind, errors.CftrainError)
