"""Whether a description that is passed on, and not answered by us, keeps to the policy (S10): no media in the clear."""

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


def _has_keys(media: Media, described: Description) -> bool:
    if media.kind not in CARRIES_MEDIA:
        return True
    if media.protocol not in SECURE:
        return False
    by_dtls = media.has("fingerprint") or described.has("fingerprint")
    return by_dtls or crypto.chosen(media.values("crypto")) is not None
