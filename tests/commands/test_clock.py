"""A clock that is wrong changes no result and repeats no work."""

from datetime import UTC, datetime, timedelta

import pytest

from cftrain.results import provenance
from cftrain.results.store import Store, done
from tests.console import TINY_MOONS, call


@pytest.fixture
def backwards(monkeypatch) -> None:
    """Every look at the clock finds it an hour earlier."""

    class Clock:
        time = datetime(2030, 1, 1, tzinfo=UTC)

        @classmethod
        def now(cls, zone):
            cls.time -= timedelta(hours=1)
            return cls.time.astimezone(zone)

    monkeypatch.setattr(provenance, "datetime", Clock)


def test_what_is_done_is_done_while_the_clock_goes_backwards(tmp_path, backwards):
    words = ("train", *TINY_MOONS, f"hydra.run.dir={tmp_path}")
    assert call(*words).code == 0
    store = Store(tmp_path)
    assert len(done(store.evaluations())) == 2
    assert "done already" in call(*words).out
    trained = store.cells().set_index("cell")
    measured = store.evaluations().set_index("cell")
    assert (measured["created"] < trained["created"]).all()
    assert measured["weights_sha256"].equals(trained["weights_sha256"][measured.index])
    assert call(*words, "overwrite=true").code == 0
    assert "done already" in call(*words).out
