"""One running gateway for all that is thrown at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.gateway import PublicGateway, public_gateway


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicGateway]:
    """The gateway with everything switched on; stopped before other tests, which look at what this process counts."""
    with public_gateway(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running
        running.assert_serves()


@pytest.fixture(autouse=True)
def nothing_went_wrong_behind_the_answers(gateway: PublicGateway) -> Iterator[None]:
    """Judge what was logged during the test, not what other tests in the same process were after."""
    gateway.mishaps.clear()
    yield
    gateway.assert_no_mishap()
