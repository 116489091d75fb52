"""`python -m benchmarks COMMAND [--json]`: measures, and prints one JSON object on standard output.

A command is a module of this package with `add_arguments(parser)` and `run(arguments) -> dict`, named in
COMMANDS. Progress goes to standard error.
"""

import argparse
import importlib
import json
import sys
from typing import Any

COMMANDS = (
    "audio",
    "growth",
    "ticks",
    "packets",
    "delay",
    "loss",
    "strangers",
    "join",
    "sip",
    "scanners",
    "telephones",
    "idle",
    "registrar",
    "video",
    "rooms",
    "inputs",
    "quality",
    "glass",
    "sync",
    "repair",
    "freezes",
    "bottleneck",
    "compositor",
    "all",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What each figure means: README.md")
    commands = parser.add_subparsers(dest="command", required=True)
    named = [name for name in COMMANDS if name in sys.argv[1:2]]
    for name in named or COMMANDS:  # what others import is not waited for
        module = importlib.import_module(f"benchmarks.{name}")
        command = commands.add_parser(name, help=(module.__doc__ or "").partition("\n")[0], description=module.__doc__)
        command.add_argument("--json", action="store_true", help="one JSON object and nothing else on standard output")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    arguments = parser.parse_args()
    figures: dict[str, Any] = {"benchmark": arguments.command, **arguments.run(arguments)}
    if arguments.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:24} {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
