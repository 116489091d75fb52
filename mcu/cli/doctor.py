"""`mcu doctor`: is everything that the server needs there?"""

import typer
from rich.text import Text

from mcu.cli.common import ConfigOption, out, settings_or_exit
from mcu.cli.lines import Verdict
from mcu.clock import SystemClock

_STYLES = {"ok": "green", "advice": "yellow", "fail": "bold red"}


def doctor(config: ConfigOption = None) -> None:
    """Check what the server needs: each line is ok, or says what to do. Exits 1 when anything fails."""
    from mcu.cli.checks import examine  # here, for it loads the codecs, which no other command needs

    settings = settings_or_exit(config)
    failed = False
    for line in examine(settings, SystemClock()):
        out.print(
            Text.assemble((f"{line.verdict:<7}", _STYLES[line.verdict]), f"{line.what:<16}", line.text), soft_wrap=True
        )
        failed = failed or line.verdict is Verdict.FAIL
    if failed:
        raise typer.Exit(1)
