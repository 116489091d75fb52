"""Puts the subcommands together and turns what goes wrong into one line and an exit code, never a traceback."""

import os
import sys

import typer

from mcu.cli import demo, dial_test, doctor, endpoint, meeting, migrate, serve, token
from mcu.cli.common import tell, tell_unexpected
from mcu.errors import McuError

cli = typer.Typer(
    name="mcu",
    help="A meeting server for health care: nobody enters or leaves a meeting unnoticed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command("serve")(serve.serve)
cli.command("demo")(demo.demo)
cli.command("doctor")(doctor.doctor)
cli.command("token")(token.token)
cli.command("migrate")(migrate.migrate)
cli.command("dial-test")(dial_test.dial_test)
cli.add_typer(meeting.meetings, name="meeting")
cli.add_typer(endpoint.endpoints, name="endpoint")


def main() -> None:
    """What `mcu` runs."""
    try:
        cli()
    except McuError as error:
        tell(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # nobody reads any more, as in `mcu doctor | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        tell_unexpected(error)
        sys.exit(70)  # EX_SOFTWARE of sysexits.h
