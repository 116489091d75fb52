"""Calls of a worker that are others' own: their packets go through it, and nobody here hears them.

They go on as they are; where a call is opened, decrypted by the keys of the one side and encrypted by those of the
other, for the two have none in common.

Each m-line is a relay of the plane's for itself: two pairs of ports, one that each side sends to. A side's packets are
taken from where its SDP says, or, where that is not believed, from where the first authentic one comes.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mcu.errors import NotAcceptable, Unavailable
from mcu.ids import CallId
from mcu.media._native import Plane
from mcu.media.call_messages import RelayCall, RelayKeys
from mcu.media.transport.engine import NO_PORTS, Engine
from mcu.media.transport.line import PROFILES
from mcu.protocol.sdp import description, relayed
from mcu.protocol.sdp.description import NOWHERE, Description
from mcu.protocol.sdp.exchange import Ports
from mcu.protocol.sdp.relayed import Hop

CALLS_MAX: Final = 500


@dataclass(slots=True)
class _Line:
    """By side: its leg in the plane, the ports that it sends to, and where it takes packets as it last said."""

    legs: tuple[int, int]
    ports: tuple[Ports, Ports]
    hops: list[Hop | None] = field(default_factory=lambda: [None, None])


@dataclass(slots=True)
class _Relayed:
    lines: dict[int, _Line] = field(default_factory=dict)
    said: list[Description | None] = field(default_factory=lambda: [None, None])


class Relays:
    """Those of one worker."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._calls: dict[CallId, _Relayed] = {}

    @property
    def _plane(self) -> Plane:
        return self._engine.plane

    def carry(self, command: RelayCall) -> str:
        """What the other side is to be told.

        Raises `Invalid`, `NotAcceptable` or `Unavailable`; then a call that was not here is not here.
        """
        known = command.call in self._calls
        try:
            return self._carried(command)
        except Exception:
            if not known:
                self.end(command.call)
            raise

    def _carried(self, command: RelayCall) -> str:
        said = description.parse(command.said)
        found = relayed.hops(said)
        for index, hop in found.items():
            _check(hop.address)
            if not command.believed and not said.media[index].has("crypto"):
                raise NotAcceptable("The media is of another zone than the call, and has no keys that it is known by.")
        call = self._calls.get(command.call)
        if call is None:
            call = self._opened(command.call)
        here = self._engine.relay_address(command.addresses[1 - command.side], ipv6=command.ipv6[1 - command.side])
        for index, hop in found.items():
            line = self._line(call, index, command)
            self._aim(line, command.side, hop, believed=command.believed)
        call.said[command.side] = said
        if command.opened:
            self._use_keys(call, command.keys)
        else:
            self._know_keys(call)
        ports = {index: call.lines[index].ports[1 - command.side] for index in found}
        return str(relayed.passed_on(said, here.told, ports))

    def end(self, call: CallId) -> None:
        """Nothing where the call is not here."""
        known = self._calls.pop(call, None)
        for line in known.lines.values() if known is not None else ():
            for leg in line.legs:
                self._plane.remove(leg)

    def close(self) -> None:
        for call in list(self._calls):
            self.end(call)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _opened(self, call: CallId) -> _Relayed:
        if len(self._calls) >= CALLS_MAX:
            raise Unavailable("This media worker has as many calls as it can have.")
        made = self._calls[call] = _Relayed()
        return made

    def _line(self, call: _Relayed, index: int, command: RelayCall) -> _Line:
        if index in call.lines:
            return call.lines[index]
        one, other = (
            self._engine.relay_address(address, ipv6=ipv6).bound
            for address, ipv6 in zip(command.addresses, command.ipv6, strict=True)
        )
        try:
            sides = self._plane.add_relay(one, other, command.opened)
        except OSError:
            raise Unavailable(NO_PORTS) from None
        (leg, rtp, rtcp), (other_leg, other_rtp, other_rtcp) = sides
        line = call.lines[index] = _Line((leg, other_leg), (Ports(rtp, rtcp), Ports(other_rtp, other_rtcp)))
        return line

    def _aim(self, line: _Line, side: int, hop: Hop, *, believed: bool) -> None:
        """Who says the same again stays where its packets are known to come from."""
        if hop.address == NOWHERE or hop == line.hops[side]:
            return
        line.hops[side] = hop
        if not believed:
            return
        try:
            self._plane.set_remote(line.legs[side], hop.address, hop.rtp_port, hop.rtcp_port)
        except ValueError:
            raise NotAcceptable("The media's address is of another family than the call's.") from None

    def _use_keys(self, call: _Relayed, keys: Iterable[RelayKeys]) -> None:
        for one in keys:
            if (line := call.lines.get(one.line)) is not None:
                self._plane.set_keys(line.legs[one.side], PROFILES[one.suite], one.ours, one.theirs)

    def _know_keys(self, call: _Relayed) -> None:
        """By which packets of theirs are known, wherever they come from."""
        one, other = call.said
        if one is None or other is None:
            return
        for index, line in call.lines.items():
            if index >= min(len(one.media), len(other.media)):
                continue
            keys = relayed.agreed(one.media[index], other.media[index])
            if keys is not None:
                mine, theirs = keys
                profile = PROFILES[mine.suite]
                self._plane.set_keys(line.legs[0], profile, theirs.key, mine.key)
                self._plane.set_keys(line.legs[1], profile, mine.key, theirs.key)


def _check(address: str) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise NotAcceptable("The media's address is a name.") from None
