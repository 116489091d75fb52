"""A telephone that speaks SIP over WebSocket (RFC 7118), without media: what it says is a test's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from sip_messages import request

from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.message import Request, Response, read
from mcu.protocol.sip.values import parse_credentials

AT = "phone.invalid"  # a browser knows no name of its own


class WebPhone:
    """One connection."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self._cseq = 0

    async def send(self, message: Request | Response) -> None:
        await self.ws.send_str(bytes(message).decode())

    async def ask(self, method: str, **fields: str) -> Response:
        """What is answered in the end."""
        self._cseq += 1
        via = {"Via": f"SIP/2.0/WSS {AT};branch=z9hG4bK{method}{self._cseq};rport"}
        await self.send(
            request(method, cseq=self._cseq, **{**via, "Contact": f"<sip:anna@{AT};transport=ws>", **fields})
        )
        while True:
            answer = await self.next()
            if isinstance(answer, Response) and not answer.is_provisional:
                return answer

    async def next(self) -> Request | Response:
        return read((await self.ws.receive_str(timeout=10)).encode())

    async def register(self, name: str, domain: str, password: str) -> Response:
        """With outbound (RFC 5626), and the digest that is asked for."""
        who = f"<sip:{name}@{domain}>"
        device = (
            f'<sip:{name}@{AT};transport=ws>;reg-id=1;+sip.instance="<urn:uuid:00000000-0000-4000-8000-00000000000a>"'
        )
        said = {"From": f"{who};tag=a", "To": who, "Contact": device, "Supported": "outbound, path"}
        asked = await self.ask("REGISTER", **said)
        answerer = Answerer(name, password)
        answerer.challenged([parse_credentials(one) for one in asked.headers.all("WWW-Authenticate")])
        proof = answerer.answer("REGISTER", "sip:482915370@mcu.example") or ""
        return await self.ask("REGISTER", **said, Authorization=proof)


@asynccontextmanager
async def web_phone(url: str, **how: Any) -> AsyncIterator[WebPhone]:
    """`url`: of the server's `/sip`."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url, protocols=["sip"], **how) as ws:
        assert ws.protocol == "sip"
        yield WebPhone(ws)
