"""A line's DTLS association with its far end, as the SDP agreed on it: one handshake, two where RTCP has its own port.

It begins when it is known where the far end is, and each handshake is told of once: that there are keys, or will be
none. Without RTCP's own there are no reports, and all else goes on.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import structlog
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters

from mcu.media import _native as native
from mcu.media.call_messages import LineKeys
from mcu.media.transport.dtls import SecureTransport
from mcu.protocol.sdp.dtls import Association as Agreed
from mcu.protocol.sdp.exchange import Kind

log = structlog.get_logger(__name__)

CONNECT_S: Final = 10.0


class Association:
    """Belongs to one event loop. `end` or `drop` it."""

    def __init__(
        self,
        plane: native.Plane,
        handle: int,
        certificate: RTCCertificate,
        agreed: Agreed,
        *,
        muxed: bool,
        tell: Callable[[bool, bool], None],
    ) -> None:
        """`tell`: whether it is RTCP's own, and whether it has its keys now."""
        self.agreed, self._tell = agreed, tell
        ports = (False,) if muxed else (False, True)
        self._each = [SecureTransport(plane, handle, certificate, agreed.role, rtcp=rtcp) for rtcp in ports]
        self._tasks = list[asyncio.Task[None]]()

    @property
    def connected(self) -> bool:
        return self._each[0].connected

    @property
    def profile(self) -> str:
        """By its IANA name; "" before there is one."""
        return self._each[0].profile

    def keys(self, kind: Kind) -> Iterator[LineKeys]:
        """Those that there are, as of a line of this kind."""
        for rtcp, one in enumerate(self._each):
            if one.keys is not None:
                profile, ours, theirs = one.keys
                yield LineKeys(kind=kind, rtcp=bool(rtcp), profile=profile, ours=ours, theirs=theirs)

    def begin(self) -> None:
        """It is known where the far end is. Nothing when that was known."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._run(one)) for one in self._each]

    def put(self, event: native.Event) -> None:
        """A DTLS that came for the line."""
        if event.a < len(self._each):
            self._each[event.a].records.put(event.data)

    def end(self) -> None:
        """Says good-bye. Nothing is told any more."""
        self._stop()
        for one in self._each:
            one.end()

    def drop(self) -> None:
        """Another takes its place, on the same ports."""
        self._stop()
        for one in self._each:
            one.drop()

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _run(self, one: SecureTransport) -> None:
        prints = [RTCDtlsFingerprint(print_.algorithm, print_.value) for print_ in self.agreed.fingerprints]
        try:
            async with asyncio.timeout(CONNECT_S):
                await one.start(RTCDtlsParameters(fingerprints=prints))
        except TimeoutError:
            pass
        except Exception:  # this line has no keys, and no other is concerned
            log.exception("dtls_broke")
        self._tell(one is not self._each[0], one.connected)
