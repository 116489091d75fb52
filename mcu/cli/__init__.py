"""The `mcu` command. Each subcommand is a file here; none does more than ask the layers below."""

from mcu.cli.entry import main

__all__ = ["main"]
