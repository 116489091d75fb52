"""What the plane says of a leg that any transport tells its listener in the same way."""

from mcu.media import _native as native
from mcu.media.seams import EncodedPicture, TransportListener
from mcu.media.transport.streams import NUMBERS

SOURCES = {number: source for source, number in NUMBERS.items()}  # of pictures, by the plane's number


def tell(listener: TransportListener, event: native.Event) -> bool:
    """Whether the event was one of those."""
    match event.kind:
        case native.REPORT:
            listener.on_audio_report(event.a, max(0, event.b))
        case native.LOSS:
            listener.on_picture_loss(SOURCES[event.a], event.b / 256)
        case native.KEY_WANTED:
            listener.on_key_request(SOURCES[event.a])
        case native.UNSENT:
            listener.on_unsent(event.a)
        case _:
            return False
    return True


def picture_of(event: native.Event, codec: str) -> EncodedPicture:
    """Of a PICTURE. `codec`: how it was agreed, in either packetization mode."""
    return EncodedPicture(
        codec="VP8" if codec == "VP8" else "H264",
        data=event.data,
        timestamp=event.c,
        wait=event.b / 1_000_000,
        key=event.key,
        width=event.width,
        height=event.height,
    )
