import pyarrow as pa
import pytest

from cftrain.grid.cells import cell
from cftrain.results.schema import FORMAT, TABLES
from cftrain.training.history import COLUMNS
from tests.console import TINY_MOONS, run_of


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_its_cell_and_stack(name):
    schema = TABLES[name]
    assert schema.names[:2] == ["cell", "stack"]
    assert not schema.field("cell").nullable
    assert not schema.field("stack").nullable
    assert all(schema.field(column).nullable for column in schema.names[2:])
    assert len(set(schema.names)) == len(schema.names)
    assert schema.metadata == {b"cftrain_format": FORMAT.encode()}


def test_tables_have_the_columns_that_the_program_fills():
    assert TABLES["history"].names == ["cell", "stack", "epoch", *COLUMNS]
    metric = set(TABLES["metrics"].names)
    assert metric >= {"metric", "energy_weight", "round", "epsilon", "value", "rows"}
    assert pa.types.is_timestamp(TABLES["cells"].field("created").type)
    assert TABLES["cells"].field("created").type.tz == "UTC"


def test_settings_of_a_run_have_the_type_of_their_column():
    """A column per setting, so that tables can be grouped without reading JSON."""
    columns = cell(run_of(*TINY_MOONS), "generated").columns()
    schema = TABLES["cells"]
    assert set(columns) < set(schema.names)
    for name, value in columns.items():
        pa.array([value], schema.field(name).type)
        assert value is not None, name
