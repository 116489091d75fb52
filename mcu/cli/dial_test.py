"""`mcu dial-test NUMBER`: where a call would go, on a server that runs, and why."""

import json
from typing import Annotated

import typer
from rich.text import Text

from mcu.cli.common import out
from mcu.cli.options import URL, JsonOption, TokenOption, UrlOption
from mcu.cli.rest import Rest

PATH = "/api/v1/dial-rules/test"


def dial_test(
    dialled: Annotated[str, typer.Argument(metavar="NUMBER", help="A number, a name, or a sip: or tel: URI.")],
    stranger: Annotated[bool, typer.Option("--stranger", help="As who is none of our endpoints.")] = False,
    url: UrlOption = URL,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say where a call would go, and why. Nobody is called."""
    body = {"dialled": dialled, "caller": "stranger" if stranger else "endpoint"}
    told, _ = Rest(url, token).ask("POST", PATH, body)
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for number, step in enumerate(told["steps"], 1):
        out.print(Text(f"{number}. {step}"))
    out.print(Text(f"→ {told['route']}"))
