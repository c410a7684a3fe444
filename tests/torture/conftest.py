"""Types and shapes are checked by all other tests; here they cost a third of a run."""

from collections.abc import Iterator

import jaxtyping
import pytest


@pytest.fixture(autouse=True)
def unchecked_torture(request: pytest.FixtureRequest) -> Iterator[None]:
    before = jaxtyping.config.jaxtyping_disable
    tortures = request.node.get_closest_marker("torture") is not None
    jaxtyping.config.update("jaxtyping_disable", before or tortures)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)
