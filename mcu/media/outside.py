"""What hears of a connection that is in no room: only whether it is up, and that it is over."""

from mcu.media.messages import Source
from mcu.media.seams import EncodedPicture


class OutsideListener:
    """The rest of a `seams.TransportListener`: what the far end sends and reports is let go."""

    def on_picture(self, source: Source, picture: EncodedPicture) -> None: ...

    def on_key_request(self, source: Source) -> None: ...

    def on_bandwidth(self, bits_per_second: int) -> None: ...

    def on_audio_report(self, highest_sequence: int, lost: int) -> None: ...

    def on_picture_loss(self, source: Source, share: float) -> None: ...

    def on_unsent(self, tick: int) -> None: ...
