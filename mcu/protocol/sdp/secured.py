"""Whether a description keeps to the policy (S10): no media in the clear.

What is passed on can only be judged by its profile, for how it will be answered is not known. Of an answer of ours the
keys in it say what was agreed, whatever the profile is called (best effort, RFC 8643).
"""

from typing import Final

from mcu.errors import Invalid
from mcu.protocol.sdp import crypto
from mcu.protocol.sdp.description import Description, Media, parse
from mcu.protocol.sdp.keying import SECURE

CARRIES_MEDIA: Final = ("audio", "video", "text", "image")


def is_secured(body: bytes) -> bool:
    """Every line that is taken has keys of at least AES-128 with an 80-bit tag, or leaves them to DTLS."""
    try:
        described = parse(body.decode())
        return all(_has_keys(media, described) for media in described.media if media.port)
    except (Invalid, UnicodeDecodeError):
        return False


def is_keyed(agreed: str) -> bool:
    """Of a description of ours: every line of media that is not refused has keys. Raises `Invalid`."""
    lines = (media for media in parse(agreed).media if media.port and media.kind in CARRIES_MEDIA)
    return all(media.has("crypto") or media.has("fingerprint") for media in lines)


def _has_keys(media: Media, described: Description) -> bool:
    if media.kind not in CARRIES_MEDIA:
        return True
    if media.protocol not in SECURE:
        return False
    by_dtls = media.has("fingerprint") or described.has("fingerprint")
    return by_dtls or crypto.chosen(media.values("crypto")) is not None
