"""What a room costs, as a share of a processor core: an estimate, from what its parts were measured to take. Pure.

A view that all share costs the same whoever looks at it; a personal one costs an encoder for each who has one. The
milliseconds are of one 1280x720 picture on the machine of docs/media-plane.md; another machine's are others, but the
proportions hold.
"""

from typing import Final, NamedTuple

from mcu.media.messages import RoomProfile

PAINT_MS: Final = 2.2  # all tiles of a view
ENCODE_MS: Final = 4.7  # x264 superfast, 2 Mbit/s
DECODE_MS: Final = 0.4  # one 640x360 picture
SEND_MS: Final = 0.06  # one picture to one leg
SOUND: Final = 0.004  # of a core for each leg, whatever is shown
SHOWN_MAX: Final = 25  # the largest grid: no more are decoded
FULL: Final = 0.9  # of a worker's cores that its rooms may cost before another encoder is refused
_PIXELS: Final = 1280 * 720


class Pictures(NamedTuple):
    """What is made of a room's people in one frame."""

    views: int  # painted: whoever looks at the same, shares one
    encodes: int  # of these: one for each codec and limit in which a view is taken


def of_room(profile: RoomProfile, legs: int, pictures: Pictures) -> float:
    """Cores of a room whose legs all send and see pictures."""
    made = (pictures.views * PAINT_MS + pictures.encodes * ENCODE_MS) * _share(profile)
    each = min(legs, SHOWN_MAX) * DECODE_MS + legs * SEND_MS
    return (made + each) * profile.fps / 1000 + legs * SOUND


def of_view(profile: RoomProfile) -> float:
    """Cores that one view costs: painted and encoded once."""
    return (PAINT_MS + ENCODE_MS) * _share(profile) * profile.fps / 1000


def of_meeting(legs: int, *, personal: bool) -> float:
    """Cores of a meeting to which so many come, at the usual size and rate."""
    views = legs if personal else min(legs, 1)
    return of_room(RoomProfile(), legs, Pictures(views, views))


def _share(profile: RoomProfile) -> float:
    """Of the pixels of the picture that was measured."""
    return profile.width * profile.height / _PIXELS
