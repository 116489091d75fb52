"""`mcu endpoint add|list|remove`: telephones and room systems of our own, over the REST API of a server that runs."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from mcu.cli.common import out
from mcu.cli.options import URL, JsonOption, TokenOption, UrlOption
from mcu.cli.rest import Rest, ServerSays

endpoints = typer.Typer(
    name="endpoint", help="Telephones and room systems that register, on a server that runs.", no_args_is_help=True
)

PATH = "/api/v1/endpoints"
PAGE = 200


@endpoints.command()
def add(  # noqa: PLR0913, PLR0917  # each is an option of the command
    name: Annotated[str, typer.Argument(help="The user of its address: small letters, digits, . _ -")],
    display_name: Annotated[str, typer.Option("--display-name", help="How it is named in a meeting.")],
    number: Annotated[str | None, typer.Option(help="That others dial; not 9 digits, which are a meeting's.")] = None,
    language: Annotated[str, typer.Option(help="Of what is said to it: sv or en.")] = "sv",
    md5: Annotated[bool, typer.Option("--md5", help="Ask it for MD5 alone: some old phones know no other.")] = False,
    url: UrlOption = URL,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add one. Its password is made, and shown this once."""
    body: dict[str, Any] = {"name": name, "display_name": display_name, "number": number, "language": language}
    if md5:
        body["digests"] = ["MD5"]
    made, _ = Rest(url, token).ask("POST", PATH, body)
    if as_json:
        print(json.dumps(made, ensure_ascii=False, indent=2))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {"Address": made["uri"], "Number": made["number"] or "none", "Name": made["display_name"]}
    for what, value in {**rows, "User": made["name"], "Password": f"{made['password']} (shown this once)"}.items():
        table.add_row(what, Text(value, overflow="fold"))
    out.print(table)


@endpoints.command("list")
def list_(url: UrlOption = URL, token: TokenOption = None, as_json: JsonOption = False) -> None:
    """Show each, and whether it is registered."""
    items = _all(Rest(url, token))
    if as_json:
        print(json.dumps(items, ensure_ascii=False, indent=2))
        return
    table = Table("State", "Number", "Address", "Name", box=None, pad_edge=False)
    for one in items:
        table.add_row(one["state"], one["number"] or "", one["uri"], Text(one["display_name"]))
    out.print(table if items else "There are no endpoints.")


@endpoints.command()
def remove(
    endpoint: Annotated[str, typer.Argument(help="Its name, or its id: ep_…")],
    url: UrlOption = URL,
    token: TokenOption = None,
) -> None:
    """Remove one. It can register and call no more."""
    rest = Rest(url, token)
    for one in _all(rest):
        if endpoint in (one["id"], one["name"]):
            rest.ask("DELETE", f"{PATH}/{one['id']}")
            return
    raise ServerSays("no endpoint has that name or id: see `mcu endpoint list`")


def _all(rest: Rest) -> list[dict[str, Any]]:
    return list(rest.pages(PATH, {"page_size": str(PAGE)}))
