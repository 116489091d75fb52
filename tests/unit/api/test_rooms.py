"""What the API says of a participant's media."""

from mcu.api.rooms import media_out
from mcu.ids import LegId
from mcu.media.messages import LegMedia, LineStats


def test_what_a_participants_line_carries_is_told() -> None:
    line = LineStats(bits_per_second=211_000, pictures_bps=136_000, loss_percent=2.5, rtt_ms=40.0, state="filling")
    media = LegMedia(leg=LegId("leg_a"), rtt_ms=40.0, line=line, srtp_profile="", receiving=[], sending=[], dropped={})
    told = media_out(media).line
    assert told is not None
    assert (told.bits_per_second, told.pictures_bps, told.state) == (211_000, 136_000, "filling")
