"""`mcu demo`: a server, a booked meeting and three people in it, until Ctrl-C or until it has been measured."""

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mcu.demo.cast import CAST, Booked, book
from mcu.demo.check import Finding, check
from mcu.demo.server import RunningServer, running_server
from mcu.demo.table import show
from mcu.errors import Unavailable

JOIN_S = 60.0
LEAVE_S = 5.0


async def run_demo(console: Console, port: int | None, *, browser: bool) -> None:
    """Serve and show until cancelled. `browser`: open the host's page in one."""
    with tempfile.TemporaryDirectory(prefix="mcu-demo-") as folder:
        async with _meeting(console, Path(folder), port) as (server, booked):
            console.print(f"\n[bold]Join as the host:[/bold]  {booked.host_url}", soft_wrap=True)
            console.print(f"[bold]Join as a guest:[/bold]   {booked.web_url}", soft_wrap=True)
            console.print(f"[bold]Book a meeting:[/bold]    {server.url}/#api={server.token}", soft_wrap=True)
            console.print(f"Log: {server.log}   Stop with Ctrl-C\n", soft_wrap=True)
            if browser:
                await _open(booked.host_url)
            await show(console, server)


async def run_check(console: Console, picture: Path) -> bool:
    """Join, look, listen, print what was measured. True when all of it is as it should be."""
    with tempfile.TemporaryDirectory(prefix="mcu-demo-") as folder:
        async with _meeting(console, Path(folder), None) as (server, booked):
            console.print("• looking and listening (some 20 s)")
            findings = await check(server, booked, picture)
    console.print(f"The composed picture: {picture}", soft_wrap=True)
    return report(console, findings)


@contextlib.asynccontextmanager
async def _meeting(console: Console, folder: Path, port: int | None) -> AsyncIterator[tuple[RunningServer, Booked]]:
    console.print("• starting the server")
    async with running_server(folder, port=port) as server:
        console.print(f"• booking a meeting at {server.url}")
        booked = await book(server)
        console.print(f"• {', '.join(person.name for person in CAST)} join")
        async with _participants(server, booked):
            yield server, booked


@contextlib.asynccontextmanager
async def _participants(server: RunningServer, booked: Booked) -> AsyncIterator[None]:
    """The cast, in a process of its own. Raises `errors.Unavailable` when they do not get in."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mcu.demo.participants", server.url, booked.number, str(len(booked.tokens))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us: we end them in good order
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write("".join(f"{token}\n" for token in booked.tokens).encode())
        said = await asyncio.wait_for(process.stdout.readline(), JOIN_S)
        if not said:
            raise Unavailable("the demo's participants could not join; what they said is above")
        yield
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), LEAVE_S)
        if process.returncode is None:
            process.kill()
            await process.wait()


def report(console: Console, findings: list[Finding]) -> bool:
    """Print a row for each finding, `ok` or `no`. True when all are good."""
    table = Table(show_header=True, header_style="bold")
    for heading in ("", "what", "measured"):
        table.add_column(heading)
    for finding in findings:
        table.add_row("[green]ok[/green]" if finding.good else "[red]no[/red]", finding.what, finding.found)
    console.print(table)
    return all(finding.good for finding in findings)


async def _open(url: str) -> None:
    """In the person's browser, where this machine has a screen and the means."""
    opener = shutil.which("xdg-open") or shutil.which("open")
    if opener is not None:
        await asyncio.create_subprocess_exec(
            opener, url, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
