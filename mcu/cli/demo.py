"""`mcu demo`: the product on this machine, with people in it; `--check` measures it and says whether it works."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer

from mcu.cli.common import out


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Join, measure picture, sound and notices; exit 0 or 1.")
    ] = False,
    picture: Annotated[Path, typer.Option(help="Where --check writes the composed picture.")] = Path("mcu-demo.png"),
    port: Annotated[int | None, typer.Option(help="Port of the page; by default a free one.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser, if there is one.")] = True,
) -> None:
    """Serve a booked meeting with three synthetic participants."""
    from mcu.demo.show import run_check, run_demo  # here: the other commands need not load a WebRTC client

    if not check:
        with contextlib.suppress(KeyboardInterrupt):  # the way to stop it
            asyncio.run(run_demo(out, port, browser=browser))
    elif not asyncio.run(run_check(out, picture)):
        raise typer.Exit(1)
