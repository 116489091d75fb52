"""Any bytes as a message of a browser, or between our processes, decode or are refused: `scripts/fuzz 60 messages`."""

import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["mcu.signalling.webrtc"]):
    import msgspec

    from mcu.ids import LegId
    from mcu.media.frames import ToControl, ToWorker
    from mcu.signalling.webrtc import messages as wire
    from mcu.signalling.webrtc.translation import act_of

FROM_BROWSER: "msgspec.json.Decoder[wire.AnyFromBrowser]" = msgspec.json.Decoder(wire.AnyFromBrowser)
TO_WORKER, TO_CONTROL = msgspec.msgpack.Decoder(ToWorker), msgspec.msgpack.Decoder(ToControl)


def try_one(data: bytes) -> None:
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        act_of(FROM_BROWSER.decode(data), LegId("leg_a"))
    for decoder in (TO_WORKER, TO_CONTROL):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            decoder.decode(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
