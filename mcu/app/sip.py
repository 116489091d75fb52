"""SIP's front end, as the settings have it; there is none where no address is set."""

from contextlib import AsyncExitStack

import structlog

from mcu.app.sockets import CannotListen, tls_context
from mcu.booking.door import Door
from mcu.clock import Clock
from mcu.conference.conference import Conference
from mcu.conference.workers import Workers
from mcu.config.sections import Sip
from mcu.signalling.sip.front import FrontEnd, SipOptions

log = structlog.get_logger(__name__)


async def open_sip(
    stack: AsyncExitStack, sip: Sip, *, conference: Conference, workers: Workers, door: Door, clock: Clock
) -> None:
    """Takes calls until the stack unwinds. Raises `CannotListen` or `BadCertificate`."""
    if not sip.addresses:
        return
    options = SipOptions(
        addresses=sip.addresses,
        port=sip.port,
        tls_port=sip.tls_port,
        tls=tls_context(sip.tls_cert, sip.tls_key),
        name=sip.name,
        encrypted=sip.encryption == "required",
        language=sip.language,
    )
    front = FrontEnd(options, conference=conference, workers=workers, door=door, clock=clock)
    try:
        await front.start()
    except OSError as error:
        raise CannotListen(
            f"SIP cannot have its ports ({error.strerror}): set sip.addresses, sip.port and sip.tls_port"
        ) from error
    stack.push_async_callback(front.stop)
    log.info("sip_serving", port=front.ports[0], tls_port=front.ports[1])
