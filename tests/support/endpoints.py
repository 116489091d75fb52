"""A server with SIP, telephones of its own that register there, and what it says of them."""

import json
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from baresip import Telephone, telephone
from certificates import make_certificate
from running_server import SIP, RunningServer, every_right, get_json

WITHIN_S = 15.0
PASSWORD = "kanarie-losenord"
NAMES = {"anna": "Anna Kanariefågel", "bo": "Bo Kanariefågel", "cilla": "Cilla Kanariefågel"}


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def settings(directory: Path) -> dict[str, str]:
    directory.mkdir(parents=True, exist_ok=True)
    cert, key = make_certificate(directory, "localhost", begins=datetime.now(UTC) - timedelta(days=1), days=30)
    return {
        **SIP,
        "sip__tls_port": "0",
        "sip__tls_cert": str(cert),
        "sip__tls_key": str(key),
    }


def posted(server: RunningServer, name: str, organisation: str = "", **said: Any) -> None:
    """Debian's baresip knows no digest but MD5."""
    token = every_right(server.data_directory, organisation)
    body = {"name": name, "display_name": NAMES[name], "password": PASSWORD, "digests": ["MD5"], **said}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{server.base_url}/api/v1/endpoints", json.dumps(body).encode(), headers)
    urllib.request.urlopen(asked).close()


def states(server: RunningServer, organisation: str = "") -> dict[str, str]:
    """Of an organisation's endpoints, or everybody's."""
    token = every_right(server.data_directory, organisation)
    status, listed = get_json(f"{server.base_url}/api/v1/endpoints", token)
    assert status == 200
    return {one["name"]: one["state"] for one in listed["items"]}


def contacts(server: RunningServer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.asked("/api/v1/registrations")["items"]
    return items


def address(server: RunningServer, transport: str = "udp") -> str:
    return f"127.0.0.1:{server.logged('sip_serving')[0]['tls_port' if transport == 'tls' else 'port']}"


def phone(
    server: RunningServer,
    stack: ExitStack,
    directory: Path,
    name: str,
    transport: str = "udp",
    *,
    password: str = PASSWORD,
    more: str = "",
    **made: Any,
) -> Telephone:
    """One that registers, by a flow of its own. `more`: parameters of its account; `made`: see `telephone`."""
    there = address(server, transport)
    flow = f'regint=60;sipnat=outbound;outbound="sip:{there};transport={transport}"'
    parameters = f"auth_user={name};auth_pass={password};{flow}{more}"
    given = {"hertz": 700, "transport": transport, "account": f"{name}@{there}", "parameters": parameters, **made}
    return stack.enter_context(telephone(directory / name, **given))
