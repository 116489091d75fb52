"""What was answered 2xx is there after `kill -9`, and what was sent again under its key was done once."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from running_server import RunningServer, launch

ROUNDS = {"sqlite": 50, "postgresql": 5}
WRITERS = 6
OPEN = {"guest_pin": None, "host_pin": None}  # no PIN to hash: more is written between two kills
MEETINGS = "/api/v1/meetings"


@dataclass
class Ledger:
    """What the server has said, and what it was asked without having answered."""

    acknowledged: dict[str, tuple[int, str]] = field(default_factory=dict)  # meeting: version, title
    in_doubt: dict[str, dict[str, Any]] = field(default_factory=dict)  # key: body
    changing: dict[str, str] = field(default_factory=dict)  # meeting: the title that may be there
    answered: int = 0


class Client:
    """One writer: books under a key, then changes what it booked, as quickly as it can."""

    def __init__(self, session: aiohttp.ClientSession, url: str, ledger: Ledger) -> None:
        self._session, self._url, self._ledger = session, url, ledger

    async def write(self) -> None:
        with suppress(aiohttp.ClientError, asyncio.TimeoutError):
            while True:
                meeting = await self.book(os.urandom(8).hex())
                await self.change(meeting)

    async def book(self, key: str) -> str:
        body = self._ledger.in_doubt.setdefault(key, {"title": key, "participants": [{"name": key}], "access": OPEN})
        answer = await self.ask("POST", MEETINGS, body, {"Idempotency-Key": key})
        del self._ledger.in_doubt[key]
        self._ledger.acknowledged[answer["id"]] = (1, key)
        return str(answer["id"])

    async def change(self, meeting: str) -> None:
        title = f"{self._ledger.acknowledged[meeting][1]} changed"
        self._ledger.changing[meeting] = title
        await self.ask("PATCH", f"{MEETINGS}/{meeting}", {"title": title}, {"If-Match": '"1"'})
        self._ledger.acknowledged[meeting] = (2, title)
        del self._ledger.changing[meeting]

    async def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        async with self._session.request(method, self._url + path, json=body, headers=headers) as answer:
            read = await answer.json(content_type=None)
            assert answer.status < 300, read
            self._ledger.answered += 1
            return read

    async def everything(self) -> dict[str, tuple[int, str]]:
        found: dict[str, tuple[int, str]] = {}
        token = ""
        while True:
            page = await self.ask("GET", f"{MEETINGS}?page_size=200{token}", None, {})
            found |= {one["id"]: (one["version"], one["title"]) for one in page["items"]}
            assert all(one["participant_count"] == 1 for one in page["items"])
            if page["next_page_token"] is None:
                return found
            token = f"&page_token={page['next_page_token']}"


@asynccontextmanager
async def serving(directory: Path, database_url: str, ledger: Ledger) -> AsyncIterator[tuple[Client, RunningServer]]:
    """One that serves on this database: a client of it, and the server. Killed afterwards, if it was not before."""
    server = launch(directory, database__url=database_url)
    try:
        await asyncio.to_thread(server.wait_until_serving)
        headers = {"Authorization": f"Bearer {server.token}"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(60)) as session:
            yield Client(session, server.base_url, ledger), server
    finally:
        server.kill()


@pytest.mark.timeout(600)
async def test_all_that_was_acknowledged_survives_kill_9_under_parallel_writers(
    tmp_path: Path, database_url: str
) -> None:
    ledger = Ledger()
    for _ in range(ROUNDS[database_url.partition("+")[0]]):
        async with serving(tmp_path, database_url, ledger) as (client, server):
            for key in list(ledger.in_doubt):
                await client.book(key)  # nobody knows whether it was done: ask again
            writers = [asyncio.create_task(client.write()) for _ in range(WRITERS)]
            await asyncio.sleep(random.uniform(0.05, 0.3))
            server.kill()
            await asyncio.gather(*writers)
    async with serving(tmp_path, database_url, ledger) as (client, _):
        for key in list(ledger.in_doubt):
            await client.book(key)
        found = await client.everything()
    for meeting, said in ledger.acknowledged.items():
        assert found[meeting] in (said, (2, ledger.changing.get(meeting))), "an acknowledged write is gone"
    assert found.keys() == ledger.acknowledged.keys(), "something was booked that nobody was told of, or twice"
    assert ledger.answered > 2 * ROUNDS[database_url.partition("+")[0]]
