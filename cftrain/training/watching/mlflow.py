"""MLflow: a run of a tracking store for each training."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

from cftrain.config.names import named
from cftrain.training.watching.logger import Logger, Watch, Watched

NO_TELEMETRY = "MLFLOW_DISABLE_TELEMETRY"
MOST_LETTERS = 500
"""Of a setting; MLflow takes 6000, older versions fewer."""


@named("mlflow")
@final
@dataclass(frozen=True, kw_only=True)
class Mlflow(Logger):
    """A run for each training, in an experiment of a tracking store.

    `tracking_uri` is that of a server or of a store; null is a file `mlflow.db`
    (SQLite) of the results: `mlflow ui --backend-store-uri sqlite:///.../mlflow.db`.
    MLflow reports nothing about its use unless the environment says so.
    """

    package: ClassVar[str] = "mlflow"
    extra: ClassVar[str] = "mlflow"

    experiment: str
    tracking_uri: str | None

    @property
    def elsewhere(self) -> str | None:
        return None if self.tracking_uri is None else "logger.tracking_uri"

    def opened(self, training: Watched, folder: Path) -> Watch:
        os.environ.setdefault(NO_TELEMETRY, "true")
        from mlflow import MlflowClient

        own = f"sqlite:///{folder.resolve() / 'mlflow.db'}"
        client = MlflowClient(tracking_uri=self.tracking_uri or own)
        found = client.get_experiment_by_name(self.experiment)
        number = (
            client.create_experiment(
                self.experiment,
                artifact_location=(folder / "mlflow").resolve().as_uri(),
            )
            if found is None
            else found.experiment_id
        )
        tags = {"cell": training.cell, "folder": str(folder)}
        run = client.create_run(number, run_name=training.name, tags=tags).info.run_id
        for key, value in training.settings.items():
            client.log_param(run, key, str(value)[:MOST_LETTERS])
        return _Run(client, run)


class _Run(Watch):
    def __init__(self, client: Any, run: str) -> None:
        self._client = client
        self._run = run

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, number) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def close(self) -> None:
        self._client.set_terminated(self._run)
