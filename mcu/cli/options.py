"""The options that every subcommand has which asks a server that runs."""

from typing import Annotated

import typer

URL = "http://localhost:8080"

UrlOption = Annotated[str, typer.Option("--url", envvar="MCU_URL", help="The server's address.")]
TokenOption = Annotated[
    str | None, typer.Option(envvar="MCU_TOKEN", help="A token from `mcu token`.", show_envvar=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="The server's own answer, for programs.")]
