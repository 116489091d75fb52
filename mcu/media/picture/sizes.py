"""In what size and how often a picture is encoded for those who cannot take it as it is. Pure.

Smaller before more seldom: below FPS_LEAST nobody can follow signing (EN 301 549, 6.5.3).
"""

from fractions import Fraction
from functools import lru_cache
from typing import Final

from mcu.media.seams import FrameLimit

FPS_LEAST: Final = 20
# Of each side.
_SHARES: Final = tuple(map(Fraction, ("1", "3/4", "2/3", "1/2", "1/3", "1/4", "1/6", "1/8", "1/12", "1/16")))


def allows(limit: FrameLimit, width: int, height: int, fps: float) -> bool:
    blocks = _blocks(width, height)
    return blocks <= limit.macroblocks and fps <= limit.macroblocks_per_second / blocks  # as `fps_within` has it


@lru_cache(maxsize=256)  # it is asked for each picture
def within(limit: FrameLimit, width: int, height: int, fps: int) -> tuple[int, int]:
    """The largest size of the same shape that may be sent FPS_LEAST times a second, or `fps` times if that is less."""
    sizes = [(int(width * share) & ~1, int(height * share) & ~1) for share in _SHARES]
    return next((size for size in sizes if allows(limit, *size, min(fps, FPS_LEAST))), sizes[-1])


def fps_within(limit: FrameLimit, width: int, height: int, fps: int) -> float:
    """How often it may be sent, `fps` times a second at most."""
    return min(fps, limit.macroblocks_per_second / _blocks(width, height))


def _blocks(width: int, height: int) -> int:
    return -(-width // 16) * -(-height // 16)
