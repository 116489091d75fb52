"""A real server of one's own, in a process of its own, on free ports and with a private data directory.

The demo, the benchmarks and the tests all run their server this way: as `mcu serve`, as a user would.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiohttp

from mcu.app.access import bearer
from mcu.app.data import prepare
from mcu.auth.bearer import Scope
from mcu.auth.keys import load_or_create
from mcu.clock import SystemClock
from mcu.config.sections import Auth
from mcu.errors import Unavailable

START_S: Final = 90.0  # a loaded machine takes long to load Python
STOP_S: Final = 15.0
ENDS_WITH_US: Final = ("setpriv", "--pdeathsig", "TERM")  # of util-linux: no server is left when we are killed


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """Where it is, and what one needs to use it."""

    pid: int
    url: str  # of the page and the API, no slash at the end
    operations_url: str  # of metrics and health
    token: str  # an API token with every scope
    directory: Path
    log: Path


def free_port() -> int:
    """A TCP port that nothing listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextlib.asynccontextmanager
async def running_server(
    directory: Path, settings: Mapping[str, str] | None = None, command: Sequence[str] = (), port: int | None = None
) -> AsyncIterator[RunningServer]:
    """`mcu serve` until the block is left. `settings`: MCU_ variables; `command`: put before it, such as `taskset`.

    Raises `errors.Unavailable`, with the end of its log, when it does not become ready.
    """
    port, operations_port, log = port or free_port(), free_port(), directory / "server.log"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MCU_")},
        "MCU_SERVER__PORT": str(port),
        "MCU_OPERATIONS__PORT": str(operations_port),
        "MCU_DATA__DIRECTORY": str(directory / "data"),
        **(settings or {}),
    }
    token = _every_right(directory / "data")
    with log.open("wb") as writer:
        process = await asyncio.create_subprocess_exec(
            *ENDS_WITH_US,
            *command,
            *(sys.executable, "-m", "mcu", "serve"),
            env=environment,
            stdout=writer,
            stderr=writer,
            start_new_session=True,
        )
    try:
        operations_url = f"http://127.0.0.1:{operations_port}"
        await _until_ready(operations_url, process, log)
        yield RunningServer(
            pid=process.pid,
            url=f"http://localhost:{port}",
            operations_url=operations_url,
            token=token,
            directory=directory,
            log=log,
        )
    finally:
        await _stop(process)


def _every_right(data_directory: Path) -> str:
    """What `mcu token` would print for that server."""
    prepare(data_directory)
    own = bearer(Auth(), (), load_or_create(data_directory / "auth.pem"), SystemClock())
    return own.mint("demo", frozenset({Scope.ADMIN}), timedelta(days=1))


async def _until_ready(operations_url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    give_up = asyncio.get_running_loop().time() + START_S
    async with aiohttp.ClientSession() as http:
        while process.returncode is None and asyncio.get_running_loop().time() < give_up:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{operations_url}/health/ready") as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.05)
    raise Unavailable("\n".join(["the server did not become ready; its log ends with:", *_last_lines(log)]))


def _last_lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-5:]


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
    await process.wait()
