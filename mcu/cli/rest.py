"""Asks a server's REST API for the subcommands, and turns its problems into errors of one line."""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import aiohttp

from mcu.errors import McuError

TIMEOUT_S: Final = 30.0
NO_CONTENT: Final = 204
_NEXT: Final = {
    401: "make another token with `mcu token` on the server",
    403: "make a token with that scope with `mcu token` on the server",
    404: "see `mcu meeting list`",
}


class ServerSays(McuError):
    """The server refused, with its reason; or there is no server."""

    code, title = "server-says", "The server refused"


class Rest:
    """One server and the token to use with it."""

    def __init__(self, url: str, token: str | None) -> None:
        if not token:
            raise ServerSays("no token: make one with `mcu token` on the server, and give it as --token or MCU_TOKEN")
        self._url, self._token = url.rstrip("/"), token

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[dict[str, Any], str]:
        """The answer's JSON and its ETag. Raises `ServerSays`."""
        return asyncio.run(self._ask(method, path, body, query or {}, headers or {}))

    def pages(self, path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page. Raises `ServerSays`."""
        while True:
            answer, _ = self.ask("GET", path, query=query)
            yield from answer["items"]
            if not answer["next_page_token"]:
                return
            query = query | {"page_token": answer["next_page_token"]}

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, query: dict[str, str], headers: dict[str, str]
    ) -> tuple[dict[str, Any], str]:
        own = {"Authorization": f"Bearer {self._token}", **headers}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.request(method, self._url + path, json=body, params=query, headers=own) as answer,
            ):
                said = await answer.json(content_type=None) if answer.status != NO_CONTENT else {}
                if not answer.ok:
                    raise ServerSays(_reason(said, answer.status))
                return said, answer.headers.get("ETag", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServerSays(
                f"no server answers at {self._url} ({type(error).__name__}): start one with `mcu serve`, or give --url"
            ) from error
        except ValueError as error:
            raise ServerSays(f"what answers at {self._url} is no meeting server: give another --url") from error


def _reason(problem: Any, status: int) -> str:
    """An RFC 9457 problem as one line, with what to do next where that is the same whatever was asked."""
    if not isinstance(problem, dict):
        return f"the server answered {status}"
    fields = [f"{one.get('pointer', '').lstrip('/')}: {one.get('detail', '')}" for one in problem.get("errors") or []]
    why = "; ".join(fields) or problem.get("detail")
    said = ": ".join(filter(None, [str(problem.get("title", status)), why])).rstrip(".")
    return f"{said}; {_NEXT[status]}" if status in _NEXT else said
