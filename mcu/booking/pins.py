"""Settling the two PINs of a meeting: taken as given, made, kept or removed. The plain PIN is seen once, here."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from mcu.auth.pins import PinHasher, new_pin, new_salt
from mcu.booking.meeting import Meeting, Pins
from mcu.errors import Invalid
from mcu.ids import ParticipantId

PERSONAL_DIGITS: Final = 8  # any of 200 such is guessed about as seldom as one of the two of six digits


class Ask(Enum):
    """What is wanted of a PIN that is not given itself."""

    KEEP = "keep"
    MAKE = "make"
    REMOVE = "remove"


Wanted = str | Ask


class SamePins(Invalid):
    """Two PINs are the same, so it could not be told who comes."""

    code, title = "pins-equal", "Two PINs of the meeting are the same"


@dataclass(frozen=True, kw_only=True)
class Issued:
    """The PINs that are new, to be shown once."""

    host: str | None = field(default=None, repr=False)
    guest: str | None = field(default=None, repr=False)


async def settle_personal(
    hasher: PinHasher, meeting: Meeting, whose: ParticipantId, pin: str | None
) -> tuple[str, bytes]:
    """A PIN for one of those who are booked, as given or made, and its hash. Raises as `settle`."""
    pins = meeting.access.pins
    others = {pins.host, pins.guest, *(one.pin for one in meeting.participants if one.id != whose)}
    while True:
        chosen = pin or new_pin(PERSONAL_DIGITS)
        found = await hasher.hash(chosen, pins.salt)
        if found not in others:
            return chosen, found
        if pin is not None:
            raise SamePins("Choose another one.")


async def settle(hasher: PinHasher, now: Pins, host: Wanted, guest: Wanted) -> tuple[Pins, Issued]:
    """The meeting's PINs from here on, and what to show of them. A given PIN that is the present one changes nothing.

    Raises `SamePins`, or `Unavailable` when too many PINs are being hashed.
    """
    salt = now.salt or new_salt()
    new_host, host_hash = await _one(hasher, salt, now.host, host)
    new_guest, guest_hash = await _one(hasher, salt, now.guest, guest)
    while host_hash is not None and host_hash == guest_hash:
        if Ask.MAKE not in (host, guest):
            raise SamePins("Choose two different ones.")
        if guest is Ask.MAKE:
            new_guest, guest_hash = await _one(hasher, salt, now.guest, guest)
        else:
            new_host, host_hash = await _one(hasher, salt, now.host, host)
    pins = Pins(salt=salt, host=host_hash, guest=guest_hash)
    return pins, Issued(
        host=new_host if host_hash != now.host else None, guest=new_guest if guest_hash != now.guest else None
    )


async def _one(hasher: PinHasher, salt: bytes, now: bytes | None, wanted: Wanted) -> tuple[str | None, bytes | None]:
    if wanted is Ask.KEEP:
        return None, now
    if wanted is Ask.REMOVE:
        return None, None
    pin = new_pin() if isinstance(wanted, Ask) else wanted
    return pin, await hasher.hash(pin, salt)
