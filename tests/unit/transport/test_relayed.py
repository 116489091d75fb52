"""A relay of a worker's that cannot be made leaves nothing."""

from contextlib import closing

import pytest
from media_ports import media_ports

from mcu.clock import SystemClock
from mcu.errors import McuError
from mcu.ids import CallId
from mcu.media.call_messages import RelayCall
from mcu.media.transport.engine import Engine
from mcu.media.transport.options import MediaOptions
from mcu.media.transport.relay import Relays

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
AUDIO, VIDEO = "m=audio 4000 RTP/AVP 0\r\n", "m=video 5000 RTP/AVP 97\r\n"


def offered(call: str, said: str) -> RelayCall:
    return RelayCall(call=CallId(call), side=0, said=said, believed=True, addresses=("", ""), ipv6=(False, False))


def engine_of(ports: range) -> Engine:
    return Engine(MediaOptions(addresses=("127.0.0.1",), rtp_ports=(ports[0], ports[-1])), SystemClock())


async def test_a_call_that_cannot_be_carried_gives_back_the_ports_that_it_had_taken() -> None:
    with media_ports() as ports, closing(engine_of(ports[:12])) as engine:
        relays = Relays(engine)
        for number, second in enumerate([VIDEO + "c=IN IP6 ::1\r\n", VIDEO * 3] * 2):
            with pytest.raises(McuError):
                relays.carry(offered(f"call_{number}", SDP + AUDIO + second))
        assert "m=video" in relays.carry(offered("call_last", SDP + AUDIO + VIDEO))
