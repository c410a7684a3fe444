import pytest

from cftrain import errors


def test_a_config_error_tells_all_mistakes_at_once():
    found = errors.ConfigError(["a: expected 1, got 2", "b: expected 3, got 4"])
    assert found.mistakes == ("a: expected 1, got 2", "b: expected 3, got 4")
    assert str(found) == "a: expected 1, got 2\nb: expected 3, got 4"
    assert errors.ConfigError("c").mistakes == ("c",)


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
