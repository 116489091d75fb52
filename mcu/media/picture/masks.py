"""Text and marks as 8-bit masks, which the C kernels blit: names, initials, the muted and the shared-screen mark.

Owns the font and the caches. Refuses colour and place. A label is untrusted text: it is kept to one line of printable
characters, and shortened to the width that there is. Drawing takes Pillow some milliseconds: call it on the pool.
"""

import unicodedata
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFont

DEJAVU: Final = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
LONGEST: Final = 120  # characters of a label that are looked at
SMOOTH: Final = 4  # marks are drawn this much larger, and then scaled down

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Mark(Enum):
    """What stands before a name."""

    NONE = "none"
    MUTED = "muted"
    SCREEN = "screen"


class Mask(NamedTuple):
    """Opacities, row by row; sides are even, so that its chroma is its own."""

    alpha: bytes
    width: int
    height: int


@lru_cache(maxsize=32)
def font(size: int) -> _Font:
    """DejaVu Sans where Debian's fonts-dejavu-core is installed, else the font that comes with Pillow."""
    return ImageFont.truetype(DEJAVU, size) if DEJAVU.exists() else ImageFont.load_default(size)


def clean(text: str) -> str:
    """One line of printable characters."""
    printable = "".join(
        " " if character.isspace() else character
        for character in text[:LONGEST]
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    return " ".join(printable.split())


def shorten(text: str, size: int, width: float) -> str:
    """As much of the text as fits in `width` pixels, with an ellipsis where some is missing; empty where none fits."""
    face = font(size)
    if face.getlength(text) <= width:
        return text
    fits = [end for end in range(1, len(text)) if face.getlength(text[:end].rstrip() + "…") <= width]
    return text[: fits[-1]].rstrip() + "…" if fits else ""


def initials(label: str) -> str:
    """The first letters of the first and the last word, in capitals; empty where there is no letter or digit."""
    letters = [first for word in clean(label).split() if (first := next(filter(str.isalnum, word), ""))]
    return "".join(letter.upper()[0] for letter in [*letters[:1], *letters[1:][-1:]])


@lru_cache(maxsize=512)
def label_mask(label: str, mark: Mark, size: int, widest: int) -> Mask | None:
    """A name and its mark, `size` pixels tall text, with a margin round it. None where there is nothing to draw."""
    side = round(size * 0.5)
    mark_width = 0 if mark is Mark.NONE else size + side // 2
    text = shorten(clean(label), size, widest - 2 * side - mark_width)
    if not text and mark is Mark.NONE:
        return None
    text_width = round(font(size).getlength(text)) if text else -side // 2
    image = Image.new("L", (_up(2 * side + mark_width + text_width), _up(round(size * 1.6))), 0)
    if mark is not Mark.NONE:
        image.paste(_mark(mark, size), (side, (image.height - size) // 2))
    ImageDraw.Draw(image).text((side + mark_width, image.height / 2), text, fill=255, font=font(size), anchor="lm")
    return Mask(image.tobytes(), image.width, image.height)


@lru_cache(maxsize=256)
def initials_mask(text: str, size: int) -> Mask:
    """Initials without a margin round them, so that their middle is the middle of the mask."""
    box = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text or "?", font=font(size))
    left, top, right, bottom = (round(edge) for edge in box)
    image = Image.new("L", (_up(right - left), _up(bottom - top)), 0)
    ImageDraw.Draw(image).text((-left, -top), text or "?", fill=255, font=font(size))
    return Mask(image.tobytes(), image.width, image.height)


def _up(side: int) -> int:
    return max(2, side + side % 2)


def _mark(mark: Mark, size: int) -> Image.Image:
    large = size * SMOOTH
    draw = _muted if mark is Mark.MUTED else _screen
    return draw(large).resize((size, size), Image.Resampling.BOX)


def _muted(size: int) -> Image.Image:
    """A microphone with a stroke through it."""
    image = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(image)
    line = max(1, size // 11)
    draw.rounded_rectangle((size * 0.36, size * 0.04, size * 0.64, size * 0.58), radius=size * 0.14, fill=255)
    draw.arc((size * 0.22, size * 0.2, size * 0.78, size * 0.76), 0, 180, fill=255, width=line)
    draw.line((size / 2, size * 0.74, size / 2, size * 0.94), fill=255, width=line)
    draw.line((size * 0.34, size * 0.94, size * 0.66, size * 0.94), fill=255, width=line)
    gap = Image.new("L", (size, size), 255)
    ImageDraw.Draw(gap).line((size * 0.1, size * 0.04, size * 0.94, size * 0.88), fill=0, width=3 * line)
    image = ImageChops.multiply(image, gap)
    ImageDraw.Draw(image).line((size * 0.06, size * 0.06, size * 0.92, size * 0.92), fill=255, width=line + line // 2)
    return image


def _screen(size: int) -> Image.Image:
    """A display on its foot."""
    image = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(image)
    line = max(1, size // 11)
    draw.rounded_rectangle((0, size * 0.1, size - 1, size * 0.74), radius=line, outline=255, width=line)
    draw.line((size / 2, size * 0.74, size / 2, size * 0.92), fill=255, width=line)
    draw.line((size * 0.26, size * 0.92, size * 0.74, size * 0.92), fill=255, width=line)
    return image
