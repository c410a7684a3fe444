"""The examples in the docstrings of public names, as people would type them."""

import doctest

import pytest

import cftrain


def public_examples():
    finder = doctest.DocTestFinder(recurse=False)
    for name in cftrain.__all__:
        found = getattr(cftrain, name)
        for test in finder.find(found, name, globs={}):
            if test.examples:
                yield pytest.param(test, id=name)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("test", list(public_examples()))
def test_an_example_gives_what_it_shows(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    doctest.DocTestRunner().run(test, out=told.append)
    assert "".join(told) == ""


def test_what_does_something_has_an_example():
    shown = {test.values[0].name for test in public_examples()}
    functions = ("evaluate", "read_results", "search_counterfactuals", "train")
    assert {*functions, "CounterfactualTrainingClassifier"} <= shown
