"""Calls and their keys: each suite alone is enough, and without one of them nothing leaves."""

import re
import socket
from collections.abc import AsyncIterator

import pytest
from rtp_calls import PORTS, TONE, Call, Told

from mcu.clock import SystemClock
from mcu.errors import NotAcceptable
from mcu.ids import LegId
from mcu.media.transport.engine import Engine
from mcu.media.transport.options import MediaOptions
from mcu.media.transport.rtp import RtpTransport, Terms
from mcu.protocol.sdp.crypto import SUITES

KEY = "inline:" + "A" * 40
CLEAR = {
    "without a key": "m=audio {port} RTP/SAVP 0\r\n",
    "in the clear": "m=audio {port} RTP/AVP 0\r\n",
    "with a short tag": f"m=audio {{port}} RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 {KEY}\r\n",
}


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    made = Engine(MediaOptions(addresses=("127.0.0.1",), rtp_ports=PORTS), SystemClock())
    yield made
    made.close()


@pytest.mark.parametrize("suite", SUITES)
async def test_each_suite_is_offered_and_is_enough(engine: Engine, suite: str) -> None:
    call = Call(engine)
    assert f" {suite} " in call.offer
    alone = re.sub(rf"a=crypto:\d+ (?!{suite} ).*\r\n", "", call.offer)
    assert re.findall(r"a=crypto:\d+ (\S+)", call.ends[1].change(alone)) == [suite]
    assert call.ends[1].stats(LegId("leg_1")).srtp_profile
    await call.close()


@pytest.mark.policy("S10")
@pytest.mark.parametrize("how", CLEAR)
async def test_who_offers_no_such_key_is_refused_and_sent_not_a_byte(engine: Engine, how: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(0.1)
        offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + CLEAR[how]
        end = RtpTransport(engine, Terms(address="127.0.0.1"), print, SystemClock())
        with pytest.raises(NotAcceptable):
            end.answer(offer.format(port=phone.getsockname()[1]), Told())
        sound = engine.plane.add_sound(False)
        engine.plane.send(1, [sound], TONE.data, [(end.handle, sound)])
        with pytest.raises(TimeoutError):
            phone.recv(2048)
        await end.close()
