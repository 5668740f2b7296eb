"""One running gateway for all that is thrown at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.gateway import PublicGateway, public_gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicGateway]:
    """The gateway with everything switched on."""
    with public_gateway(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running
        running.assert_serves()
        running.assert_no_mishap()
