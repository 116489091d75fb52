"""Whether a TURN relay (RFC 8656) answers and takes credentials: an allocation is made on it and given back."""

import asyncio
import os
import ssl
from collections.abc import Sequence

from aioice.stun import TransactionError, TransactionFailed
from aioice.turn import create_turn_endpoint

from mcu.config.fields import RELAY_URL

ANSWER_S = 5.0
_REFUSED = (401, 403, 441)  # RFC 8656 section 19
_OTHER_FAMILY = 440


class _Ends(asyncio.DatagramProtocol):
    """Says when the allocation has been given back."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


def relay_problems(urls: Sequence[str], username: str, credential: str) -> list[str | None]:
    """For each of a relay's URLs why a browser could not use it, or `None`. All at once, for `ANSWER_S` at most.

    The URLs are as the settings take them: RFC 7065. No problem's text holds a credential.
    """
    return asyncio.run(_all(urls, username, credential))


async def _all(urls: Sequence[str], username: str, credential: str) -> list[str | None]:
    return await asyncio.gather(*(_problem(url, username, credential) for url in urls))


async def _problem(url: str, username: str, credential: str) -> str | None:
    secure, host, port, way = _parts(url)
    if secure and way == "udp":
        return "would be TURN over DTLS, which browsers do not speak: write transport=tcp"
    try:
        async with asyncio.timeout(ANSWER_S):
            allocation, protocol = await create_turn_endpoint(
                _Ends, (host, port), username, credential, ssl=secure or None, transport=way
            )
            allocation.close()
            await protocol.ended.wait()
    except TransactionFailed as error:
        return _refusal(error.response.attributes.get("ERROR-CODE", (0, ""))[0])
    except ssl.SSLCertVerificationError as error:
        return f"shows a certificate that does not hold ({error.verify_message}): get it one for this name"
    except (OSError, TimeoutError, TransactionError) as error:
        number = error.errno if isinstance(error, OSError) else None
        why = os.strerror(number) if number and number > 0 else "no answer"
        return f"cannot be reached from here ({why}): check that it runs, its port, and firewalls"
    return None


def _refusal(code: int) -> str:
    if code in _REFUSED:
        return "refuses our credentials: compare turn.secret, or turn.username and turn.credential, with the relay's"
    if code == _OTHER_FAMILY:
        return (
            "has no address of the family that browsers get, IPv4 unless told otherwise: give it one, "
            "or let it keep the family that they come by (coturn: allocation-default-address-family=keep)"
        )
    return f"refuses to relay (error {code}): look into its log"


def _parts(url: str) -> tuple[bool, str, int, str]:
    """Whether it is TLS; host, port and transport."""
    found = RELAY_URL.fullmatch(url)
    assert found is not None  # the settings have looked
    scheme, host, port, way = found.groups()
    secure = scheme == "turns"
    return secure, host.strip("[]"), int(port or (5349 if secure else 3478)), way or ("tcp" if secure else "udp")
