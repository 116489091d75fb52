"""What tests of a worker's room share."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from room_stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    with ThreadPoolExecutor(1) as pool:
        stage = Stage(pool)
        yield stage
        await stage.close()
