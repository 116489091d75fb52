"""A whole `mcu serve` on free ports of loopback, with its data in a directory that is gone afterwards."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from mcu.app.access import bearer
from mcu.auth.bearer import Scope
from mcu.auth.keys import load_or_create
from mcu.clock import SystemClock
from mcu.config.sections import Auth


@dataclass(frozen=True)
class Served:
    """`pid`: of the control process. `token` holds every scope."""

    pid: int
    url: str
    sip_port: int
    token: str


@asynccontextmanager
async def served(prefix: Sequence[str], **settings: str) -> AsyncIterator[Served]:
    """With these settings, by section__key. Raises `RuntimeError` where it does not start."""
    with tempfile.TemporaryDirectory() as directory:
        given = {"server__port": "0", "operations__port": "0", "data__directory": directory, "logging__format": "json"}
        environment = {f"MCU_{name.upper()}": value for name, value in {**given, **settings}.items()}
        words = (*prefix, sys.executable, "-m", "mcu", "serve")
        process = await asyncio.create_subprocess_exec(
            *words, env=os.environ | environment, stderr=asyncio.subprocess.PIPE
        )
        assert process.stderr is not None
        try:
            said = await _until_serving(process.stderr)
            draining = asyncio.create_task(process.stderr.read())
            key = load_or_create(Path(directory) / "auth.pem")
            token = bearer(Auth(), key, SystemClock()).mint("benchmark", frozenset({Scope.ADMIN}), timedelta(hours=1))
            port = said.get("sip_serving", {}).get("port", 0)
            yield Served(process.pid, said["serving"]["address"], port, token)
            draining.cancel()
        finally:
            process.terminate()
            await process.communicate()  # what it says last would fill the pipe


async def _until_serving(log: asyncio.StreamReader) -> dict[str, dict[str, Any]]:
    """What it has logged, by event."""
    said: dict[str, dict[str, Any]] = {}
    while "serving" not in said:
        line = await log.readline()
        if not line:
            raise RuntimeError("the server does not start")
        if line.startswith(b"{"):
            told = json.loads(line)
            said[told["event"]] = told
    return said
