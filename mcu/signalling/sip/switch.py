"""Calls of our endpoints to each other: which bridge each is part of, and who is in a call."""

import structlog

from mcu.booking.endpoints import Endpoint
from mcu.errors import McuError
from mcu.ids import CallId, new_id
from mcu.net.sip.driver import Driver
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Event, Progressed, Within
from mcu.protocol.sip.message import Response
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri
from mcu.signalling.sip.bridge import Bridge
from mcu.signalling.sip.registrations import Registrations

log = structlog.get_logger(__name__)


class Switch:
    """A `bridge.Desk`."""

    def __init__(self, driver: Driver, registrations: Registrations, *, encrypted: bool) -> None:
        self._driver, self._registrations, self._encrypted = driver, registrations, encrypted
        self._bridges: dict[Call, Bridge] = {}

    def connect(self, call: Call, caller: Endpoint, dialled: str | SipUri) -> None:
        """Calls whom an endpoint dialled. What refuses it is said to the caller."""
        name = CallId(new_id("call"))
        bridge = Bridge(self, name, call, caller, domain=self._registrations.realm, encrypted=self._encrypted)
        try:
            ringing = bridge.start(self._registrations.locate(dialled))
        except McuError as error:
            call.refuse(error.sip)
            return
        self._bridges |= dict.fromkeys([call, *ringing], bridge)
        for one in bridge.endpoints:
            self._registrations.engaged(one.id)
        log.info("call_bridged", call=name, ringing=len(ringing))

    def takes(self, event: Event) -> bool:
        """Whether it is of a call between endpoints, which is told."""
        if not isinstance(event, Progressed | Established | Changing | Changed | Ended | Within):
            return False
        bridge = self._bridges.get(event.call)
        if bridge is None:
            return False
        if isinstance(event, Ended):
            del self._bridges[event.call]
        bridge.tell(event)
        if isinstance(event, Ended) and bridge not in self._bridges.values():
            for one in bridge.endpoints:
                self._registrations.disengaged(one.id)
        return True

    def stop(self) -> None:
        """Hangs up every call."""
        for bridge in set(self._bridges.values()):
            bridge.hang_up()

    # -- bridge.Desk --------------------------------------------------------------------------------------------------

    def place(self, to: Recipient, body: bytes) -> Call:
        return self._driver.agent.invite(to, body, self._driver.now)

    def pump(self) -> None:
        self._driver.pump()

    def respond(self, key: Key, response: Response) -> None:
        self._driver.respond(key, response)
