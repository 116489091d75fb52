"""What the tests of rooms share."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest

from mcu.conference import reopening
from mcu.conference import room as room_module
from mcu.conference.updates import Update
from mcu.media.life import LegState
from mcu.storage.database import Database
from mcu.storage.migrate import migrate

S = LegState
U = TypeVar("U", bound=Update)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    await migrate(url)
    made = Database(url)
    yield made
    await made.close()


@pytest.fixture(autouse=True)
def quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "TICK_S", 0.01)
    monkeypatch.setattr(reopening, "RETRY_S", 0.01)
