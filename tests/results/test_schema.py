import pyarrow as pa
import pytest

from cftrain.results.schema import FORMAT, OF_EVALUATION, OF_TRAINING, TABLES
from cftrain.training.history import COLUMNS

KEYS = {name: ["cell", "stack"] for name in OF_TRAINING}
KEYS |= {name: ["cell", "stack", "protocol"] for name in OF_EVALUATION}
KEYS |= {"protocols": ["protocol"]}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_what_it_belongs_to(name):
    schema, keys = TABLES[name], KEYS[name]
    assert schema.names[: len(keys)] == keys
    assert not any(schema.field(column).nullable for column in keys)
    assert all(schema.field(column).nullable for column in schema.names[len(keys) :])
    assert len(set(schema.names)) == len(schema.names)
    assert schema.metadata == {b"cftrain_format": FORMAT.encode()}


def test_tables_have_the_columns_that_the_program_fills():
    assert TABLES["history"].names == ["cell", "stack", "epoch", *COLUMNS]
    metric = set(TABLES["metrics"].names)
    assert metric >= {"metric", "energy_weight", "round", "epsilon", "value", "rows"}
    for name in ("cells", "evaluations", "protocols"):
        assert pa.types.is_timestamp(TABLES[name].field("created").type)
        assert TABLES[name].field("created").type.tz == "UTC"


def test_markers_are_written_by_themselves():
    """`cells` and `evaluations` say that the other tables of a stack are whole."""
    assert next(iter(OF_TRAINING)) == "cells"
    assert next(iter(OF_EVALUATION)) == "evaluations"
    assert not set(OF_TRAINING) & set(OF_EVALUATION)
