"""`mcu token`: a bearer token for the API, signed with the server's own key."""

from datetime import timedelta
from typing import Annotated

import typer

from mcu.app.access import bearer
from mcu.app.data import prepare
from mcu.auth.bearer import NoOrganisation, Scope
from mcu.auth.keys import load_or_create
from mcu.cli.common import ConfigOption, settings_or_exit
from mcu.clock import SystemClock


def token(
    scope: Annotated[list[Scope], typer.Option(help="What it allows; repeat for more than one.")] = [Scope.ADMIN],  # noqa: B006
    subject: Annotated[str, typer.Option(help="Who it is for, as the audit shows it: a system, not a person.")] = "cli",
    organisation: Annotated[
        str, typer.Option(help="Whose: its id in [[organisations]]. Without one, the operator's, which must be admin.")
    ] = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")] = 30,
    config: ConfigOption = None,
) -> None:
    """Make an API token. It is printed once and kept nowhere."""
    settings = settings_or_exit(config)
    prepare(settings.data.directory)
    own = bearer(settings.auth, settings.organisations, load_or_create(settings.key_file), SystemClock())
    try:
        print(own.mint(subject, frozenset(scope), timedelta(days=days), organisation))
    except NoOrganisation as error:
        raise typer.BadParameter(str(error), param_hint="--organisation") from None
