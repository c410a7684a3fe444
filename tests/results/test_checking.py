"""Whole files whose content nobody wrote so: one message, whatever it is."""

import math

import pytest

from cftrain.errors import ResultError
from cftrain.results.described import described
from cftrain.results.leaves import hyperparameters
from cftrain.results.replicates import replicate_key
from cftrain.results.store import Store
from tests.results.rows import cell_row, evaluation_row


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": "finished"}, "expected status done or failed, got 'finished'"),
        ({"status": None}, "column status: expected a value in every row"),
        ({"seconds": math.inf}, "expected seconds to be finite"),
        ({"seconds": -1.0}, "expected seconds to be finite"),
        ({"created": None}, "column created: expected a value in every row"),
        ({"stack_cells": None}, "expected a value in stack_cells"),
    ],
)
def test_markers_that_nobody_wrote_so_are_refused(tmp_path, changed, said):
    store = Store(tmp_path)
    store.write("cells", "s", [cell_row("c", "s", **changed)])
    with pytest.raises(ResultError, match=said):
        store.cells()
    store.write("cells", "s", [cell_row("c", "s")])
    store.write("evaluations", "s", [evaluation_row("c", "s", **changed)])
    with pytest.raises(ResultError, match=said):
        store.evaluations()


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "[" * 100_000])
def test_a_configuration_that_is_no_mapping_is_refused(tmp_path, text):
    with pytest.raises(ResultError, match="config of cell c: expected"):
        described(text, "config of cell c")
    store = Store(tmp_path)
    store.write("cells", "s", [cell_row("c", "s", config=text)])
    cells = store.cells()
    with pytest.raises(ResultError):
        hyperparameters(cells)
    with pytest.raises(ResultError, match="config of cell c"):
        replicate_key(cells.iloc[0])
