"""Janus's AudioBridge (Debian's package) as a peer: started for one run on free ports, and driven over its HTTP API.

It takes browsers, and telephones by plain RTP in G.711, which its rooms of 8 and 16 kHz mix.

API: https://janus.conf.meetecho.com/docs/rest.html and …/audiobridge.html; version 1.1.2 is what Debian 12 has.
"""

import asyncio
import contextlib
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

ROOM = 1234
JOIN = {"request": "join", "room": ROOM, "muted": False}
CONFIGURATION = {
    "janus.jcfg": """
general: {{ debug_level = 2  admin_secret = "{secret}"  session_timeout = 0  interface = "127.0.0.1" }}
certificates: {{ }}
media: {{ ipv6 = false  dtls_mtu = 1200 }}
nat: {{ ice_enforce_list = "lo"  full_trickle = false  ignore_mdns = true }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
events: {{ broadcast = false }}
""",
    "janus.transport.http.jcfg": """
general: {{ json = "plain"  base_path = "/janus"  http = true  port = {port}  ip = "127.0.0.1" }}
admin: {{ admin_http = false }}
""",
    "janus.plugin.audiobridge.jcfg": """
general: {{ local_ip = "127.0.0.1" }}
room-{room}: {{
  description = "benchmark"  secret = "{secret}"  sampling_rate = {rate}  audiolevel_ext = true
  audiolevel_event = false  default_prebuffering = 6  record = false  allow_rtp_participants = true
}}
""",
}


def installed() -> bool:
    return shutil.which("janus") is not None


class Janus:
    """A running Janus with one AudioBridge room."""

    name = "janus 1.1.2 AudioBridge"

    def __init__(self, process: asyncio.subprocess.Process, url: str, http: aiohttp.ClientSession) -> None:
        self.pid = process.pid
        self._url = url
        self._http = http

    async def join(self, offer: str) -> str:
        """Join the room with a browser's SDP offer; returns the answer."""
        session, handle = await self._handle()
        await self._message(session, handle, JOIN)
        event = await self._message(session, handle, {"request": "configure", "muted": False}, offer)
        return str(event["jsep"]["sdp"])

    async def join_by_telephone(self, port: int) -> tuple[str, int]:
        """Join the room with A-law in plain RTP, which is sent to `port` on this machine; returns where to send it."""
        session, handle = await self._handle()
        telephone = {"ip": "127.0.0.1", "port": port, "payload_type": 8}
        event = await self._message(session, handle, {**JOIN, "codec": "pcma", "rtp": telephone})
        theirs = event["plugindata"]["data"]["rtp"]
        return str(theirs["ip"]), int(theirs["port"])

    async def encodes(self, after: Sequence[float] = ()) -> Sequence[float]:
        return 0.0, 0.0

    async def _handle(self) -> tuple[str, str]:
        """The addresses of a new session, and of its handle to the AudioBridge."""
        session = f"{self._url}/{(await self._ask(self._url, {'janus': 'create'}))['data']['id']}"
        attach = {"janus": "attach", "plugin": "janus.plugin.audiobridge"}
        return session, f"{session}/{(await self._ask(session, attach))['data']['id']}"

    async def _message(
        self, session: str, handle: str, body: dict[str, Any], offer: str | None = None
    ) -> dict[str, Any]:
        """Send a plugin message and wait for its event."""
        message: dict[str, Any] = {"janus": "message", "body": body}
        if offer is not None:
            message["jsep"] = {"type": "offer", "sdp": offer}
        transaction = (await self._ask(handle, message))["transaction"]
        while True:
            async with self._http.get(session, params={"maxev": "1"}) as answer:
                event: dict[str, Any] = await answer.json()
            if event.get("transaction") == transaction and event["janus"] == "event":
                if "error" in event["plugindata"]["data"]:
                    raise RuntimeError(f"Janus refused {body['request']}: {event['plugindata']['data']['error']}")
                return event

    async def _ask(self, url: str, message: dict[str, Any]) -> dict[str, Any]:
        message = {**message, "transaction": secrets.token_hex(6)}
        async with self._http.post(url, json=message) as answer:
            reply: dict[str, Any] = await answer.json()
        if reply["janus"] == "error":
            raise RuntimeError(f"Janus refused {message['janus']}: {reply['error']['reason']}")
        return reply


@contextlib.asynccontextmanager
async def running(prefix: list[str], rate: int) -> AsyncIterator[Janus]:
    """A Janus of our own, ended on the way out. `prefix` stands before its command, such as `taskset`; its room mixes
    at `rate` Hz."""
    with tempfile.TemporaryDirectory(prefix="janus-") as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        _write_configuration(Path(folder), port, rate)
        process = await asyncio.create_subprocess_exec(
            *prefix, "janus", "-F", folder, "-o", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with aiohttp.ClientSession() as http:
                url = f"http://127.0.0.1:{port}/janus"
                await _until_ready(http, url, process)
                yield Janus(process, url, http)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _write_configuration(folder: Path, port: int, rate: int) -> None:
    plugins, transports = (
        ",".join(path.name for path in sorted(Path("/usr/lib").glob(f"*/janus/{kind}/*.so")) if path.name != keep)
        for kind, keep in (("plugins", "libjanus_audiobridge.so"), ("transports", "libjanus_http.so"))
    )
    values = {"port": port, "room": ROOM, "rate": rate, "secret": secrets.token_hex(8)}
    values |= {"plugins": plugins, "transports": transports}
    for name, text in CONFIGURATION.items():
        (folder / name).write_text(text.format(**values))


async def _until_ready(http: aiohttp.ClientSession, url: str, process: asyncio.subprocess.Process) -> None:
    for _ in range(100):
        if process.returncode is not None:
            raise RuntimeError(f"janus ended with status {process.returncode} instead of starting")
        with contextlib.suppress(aiohttp.ClientError):
            async with http.get(f"{url}/info") as answer:
                if answer.ok:
                    return
        await asyncio.sleep(0.1)
    raise RuntimeError("janus did not answer within 10 s")
