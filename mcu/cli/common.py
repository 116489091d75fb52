"""What the subcommands share: the settings they are given, and how an error is told."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from mcu.config.settings import Settings, SettingsError, load
from mcu.errors import McuError
from mcu.telemetry.failures import describe

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The TOML file with the settings. By default mcu.toml here, if there is one."),
]

errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
out = Console(highlight=False)


def settings_or_exit(config: Path | None, over: dict[str, dict[str, Any]] | None = None) -> Settings:
    """The settings; where they cannot be used, a line for each problem and exit 2."""
    try:
        return load(config, over)
    except SettingsError as error:
        for problem in error.problems:
            errors.print(f"mcu: {problem}")
        raise typer.Exit(2) from None


def tell(error: McuError) -> None:
    """One line on standard error."""
    errors.print(f"mcu: {error.detail or error.title}")


def tell_unexpected(error: Exception) -> None:
    """One line that says where a fault of ours is, without the exception's words, which may be somebody's."""
    told = describe(error)[0]
    where = told["at"][-1] if told["at"] else "an unknown place"
    errors.print(f"mcu: a fault of the program ({told['type']} at {where}): report it, with this line")
