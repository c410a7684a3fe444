"""A folder with two trained seeds of the table of loans, made from the command line."""

from pathlib import Path

from tests.advice import lending
from tests.console import TINY, call

CONFIG = """\
_target_: cftrain.data.tables.tabular.Tabular
name: lending
training_rows: 120
validation_rows: 30
pool_share: 0.8
root: ${oc.env:CFTRAIN_DATA,null}
prepared: null
raw:
  _target_: cftrain.data.tables.origins.ParquetOrigin
  stem: lending
  rows: null
  names: {}
  only: {}
  label:
    _target_: cftrain.data.tables.labels.ByValue
    column: paid
    values: ["no", "yes"]
  balance_seed: null
  shuffle_seed: 1
openml: null
columns: {age: numeric, debt: numeric, rate: numeric, job: categorical}
levels: {}
encoded: {}
missing: {}
standardise: true
domain_deviations: 2.0
domain: {age: [18, 100], debt: [0, null]}
mutability: {age: increase}
weight: null
relations: []
broken_relations: refuse
"""

TRAIN = (
    "train",
    "--config-dir=conf",
    "data=lending",
    "hydra.run.dir=outputs/all",
    *TINY,
    "schedule.epochs=8",
    "schedule.batch_rows=20",
    "schedule.optimiser.learning_rate=0.05",
)


def trained(here: Path) -> Path:
    """Train in a folder that has the table beside its results."""
    (here / "conf" / "data").mkdir(parents=True)
    (here / "conf" / "data" / "lending.yaml").write_text(CONFIG)
    table = lending.frame(2, 250)
    table["paid"] = ["yes" if debt < 500 else "no" for debt in table["debt"]]
    table.to_parquet(here / "lending.parquet")
    for seed in (1, 2):
        done = call(*TRAIN, f"seed={seed}", cwd=here, CFTRAIN_DATA=str(here))
        assert done.code == 0, done
    rows = lending.frame(9, 12).assign(debt=900.25, other="x")
    rows["sex"] = ["<script>", *"fmfmfmfmfmf"]
    rows.to_csv(here / "applicants.csv", index=False)
    return here
