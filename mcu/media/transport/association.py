"""A line's DTLS association with its far end, as the SDP agreed on it: one handshake, two where RTCP has its own port.

It begins when it is known where the far end is, and each handshake is told of once: that there are keys, or will be
none. Without RTCP's own there are no reports, and all else goes on.

A far end behind a NAT greets us from elsewhere than its SDP says, as anybody can. Each that does has a handshake for
itself, some at a time, and who ends one with the certificate that was told is the far end.
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
GREETED: Final = 4  # places of one port that are known at a time, as in the plane


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
        self._plane, self._handle, self._certificate = plane, handle, certificate
        self._each = [self._shaker(rtcp) for rtcp in ports]
        self._tasks = list[asyncio.Task[None]]()
        self._greeted: dict[tuple[int, int], tuple[SecureTransport, asyncio.Task[None]]] = {}  # by port and number
        self._proven = [asyncio.Event() for _ in ports]

    def _shaker(self, rtcp: bool, greeted: int = 0) -> SecureTransport:
        role = self.agreed.role
        return SecureTransport(self._plane, self._handle, self._certificate, role, rtcp=rtcp, greeted=greeted)

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
            self._tasks = [asyncio.create_task(self._run(rtcp)) for rtcp in range(len(self._each))]

    def put(self, event: native.Event) -> None:
        """A DTLS that came for the line, from where it is."""
        if event.a < len(self._each):
            self._each[event.a].records.put(event.data)

    def put_of(self, event: native.Event) -> None:
        """One that came from elsewhere: of who sends it, or of nobody where we are not to be greeted."""
        if event.a >= len(self._tasks) or self._tasks[event.a].done() or self.agreed.role != "server":
            return
        place = event.a, event.b
        if place not in self._greeted:
            one = self._shaker(bool(event.a), event.b)
            self._greeted[place] = one, asyncio.create_task(self._prove(one, event.a))
            self._forget(lambda port, number: port == event.a and number <= event.b - GREETED)
        self._greeted[place][0].records.put(event.data)

    async def _prove(self, one: SecureTransport, rtcp: int) -> None:
        await self._shake(one)
        if one.connected and self._each[rtcp].keys is None:
            self._each[rtcp].drop()
            self._each[rtcp] = one
            self._proven[rtcp].set()

    def _forget(self, which: Callable[[int, int], bool]) -> None:
        for place in [place for place in self._greeted if which(*place)]:
            one, task = self._greeted.pop(place)
            if one not in self._each:
                task.cancel()
                one.drop()

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
        self._forget(lambda *_: True)

    async def _run(self, rtcp: int) -> None:
        """Until it is known whether there are keys: by the far end where it said that it is, or from elsewhere."""
        shaking, proven = (
            asyncio.create_task(one) for one in (self._shake(self._each[rtcp]), self._proven[rtcp].wait())
        )
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.wait([shaking, proven], return_when=asyncio.FIRST_COMPLETED)
                if not self._each[rtcp].connected and self._greeted:
                    await proven
        except TimeoutError:
            pass
        finally:
            shaking.cancel()
            proven.cancel()
        self._forget(lambda port, _: port == rtcp)
        self._tell(bool(rtcp), self._each[rtcp].connected)

    async def _shake(self, one: SecureTransport) -> None:
        prints = [RTCDtlsFingerprint(print_.algorithm, print_.value) for print_ in self.agreed.fingerprints]
        try:
            await one.start(RTCDtlsParameters(fingerprints=prints))
        except Exception:  # this line has no keys, and no other is concerned
            log.exception("dtls_broke")
