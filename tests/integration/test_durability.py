"""What was answered 2xx is there after `kill -9`, and what was sent again under its key was done once."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import forked_serve
import pytest
from running_server import START_S, environment, every_right

ROUNDS = {"sqlite": 50, "postgresql": 5}
WRITERS = 6
OPEN = {"guest_pin": None, "host_pin": None}  # no PIN to hash: more is written between two kills
LOOK_S = 0.02
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


class Servers:
    """Starts `mcu serve` again and again, on the same database."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path) -> None:
        self._process = process
        self._directory = directory
        self._started = 0

    @asynccontextmanager
    async def one(self, ledger: Ledger) -> AsyncIterator[tuple[Client, int]]:
        """One that serves: a client of it, and its process id. Killed afterwards, if it was not before."""
        assert self._process.stdin
        assert self._process.stdout
        self._started += 1
        log = self._directory / f"log-{self._started}.jsonl"
        self._process.stdin.write(f"{log}\n".encode())
        pid = int(await asyncio.wait_for(self._process.stdout.readline(), START_S))
        try:
            url = await serving(log)
            headers = {"Authorization": f"Bearer {every_right(self._directory / 'data')}"}
            async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(60)) as session:
                yield Client(session, url, ledger), pid
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def serving(log: Path) -> str:
    """Where the server that logs there takes requests, once it does."""
    for _ in range(int(START_S / LOOK_S)):
        if (address := said_where(log)) is not None:
            return address
        await asyncio.sleep(LOOK_S)
    raise AssertionError(f"the server did not start: see {log}")


def said_where(log: Path) -> str | None:
    lines = log.read_text("utf-8").splitlines(keepends=True) if log.exists() else []
    said = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
    return next((str(line["address"]) for line in said if line["event"] == "serving"), None)


@pytest.fixture
async def servers(tmp_path: Path, database_url: str) -> AsyncIterator[Servers]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(forked_serve.__file__)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(tmp_path, database__url=database_url),
    )
    yield Servers(process, tmp_path)
    assert process.stdin
    process.stdin.close()
    await process.wait()


@pytest.mark.timeout(600)
async def test_all_that_was_acknowledged_survives_kill_9_under_parallel_writers(
    servers: Servers, database_url: str
) -> None:
    ledger = Ledger()
    for _ in range(ROUNDS[database_url.partition("+")[0]]):
        async with servers.one(ledger) as (client, pid):
            for key in list(ledger.in_doubt):
                await client.book(key)  # nobody knows whether it was done: ask again
            writers = [asyncio.create_task(client.write()) for _ in range(WRITERS)]
            await asyncio.sleep(random.uniform(0.05, 0.3))
            os.kill(pid, signal.SIGKILL)
            await asyncio.gather(*writers)
    async with servers.one(ledger) as (client, _):
        for key in list(ledger.in_doubt):
            await client.book(key)
        found = await client.everything()
    for meeting, said in ledger.acknowledged.items():
        assert found[meeting] in (said, (2, ledger.changing.get(meeting))), "an acknowledged write is gone"
    assert found.keys() == ledger.acknowledged.keys(), "something was booked that nobody was told of, or twice"
    assert ledger.answered > 2 * ROUNDS[database_url.partition("+")[0]]
