"""`cftrain data`."""

import pytest

from cftrain.commands.command_line.lines import OWN
from cftrain.config.tree import options
from tests.console import call


def test_the_list_has_every_dataset(tmp_path):
    outcome = call("data", "list", cwd=tmp_path, CFTRAIN_DATA=None)
    assert outcome.code == 0, outcome.err
    for name in options("data"):
        assert (name in outcome.out) == (name not in OWN)
    assert "not here" in outcome.out


@pytest.mark.data
def test_the_list_tells_sizes_sources_and_protection(data_root):
    outcome = call("data", "list", CFTRAIN_DATA=str(data_root))
    rows = {line.split()[0]: line.split() for line in outcome.out.splitlines() if line}
    assert rows["adult"][1:] == [
        "25049",
        "1000",
        "6512",
        "108",
        "2",
        "parquet:raw",
        "age",
    ]
    assert rows["gmsc"][1:6] == ["12371", "1000", "3343", "10", "2"]
    assert "280 features" in outcome.out


def test_generated_data_need_no_fetching():
    outcome = call("data", "fetch", "moons")
    assert outcome.code == 0
    assert outcome.out.startswith("moons: generated, 3600 ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "expected 'list' or 'fetch NAME'"),
        (("show",), "expected 'list' or 'fetch NAME'"),
        (("fetch",), "expected 'list' or 'fetch NAME'"),
        (("fetch", "nosuch"), "got 'nosuch'"),
    ],
)
def test_other_words_are_told_what_is_expected(words, said):
    assert said in call("data", *words).message
