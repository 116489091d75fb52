"""What may be asked of a room, and what a room then does.

The same values serve for both: `policy.decide` turns an act that somebody asks for into the acts that are to be
carried out, or refuses it. None of them touches a notice (S5.3-3).
"""

import msgspec

from mcu.conference.roster import Person, Role
from mcu.ids import CallId, LegId
from mcu.media.messages import Cause, Layout


class Act(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Admit(Act, frozen=True, kw_only=True):
    leg: LegId


class SetMuted(Act, frozen=True, kw_only=True):
    leg: LegId
    muted: bool


class SetHeld(Act, frozen=True, kw_only=True):
    leg: LegId
    held: bool


class SetCamera(Act, frozen=True, kw_only=True):
    leg: LegId
    on: bool


class SetScreen(Act, frozen=True, kw_only=True):
    leg: LegId
    on: bool


class SetHand(Act, frozen=True, kw_only=True):
    leg: LegId
    raised: bool


class SetRole(Act, frozen=True, kw_only=True):
    leg: LegId
    role: Role


class SetLegLayout(Act, frozen=True, kw_only=True):
    """`None`: as the room."""

    leg: LegId
    layout: Layout | None


class SetLegPersonal(Act, frozen=True, kw_only=True):
    """Whether a leg sees a picture without itself in it. `None`: as the room."""

    leg: LegId
    personal: bool | None


class SetRoomPersonal(Act, frozen=True, kw_only=True):
    """For all who have chosen nothing themselves."""

    personal: bool


class SetRoomLayout(Act, frozen=True, kw_only=True):
    layout: Layout


class SetLocked(Act, frozen=True, kw_only=True):
    locked: bool


class SetSpotlight(Act, frozen=True, kw_only=True):
    leg: LegId | None


class Post(Act, frozen=True, kw_only=True):
    """A line of chat."""

    leg: LegId
    text: str

    def __repr__(self) -> str:
        return f"Post(leg={self.leg!r})"  # what people write belongs in no log


class Tell(Act, frozen=True, kw_only=True):
    """Say these prompts to one leg, heard by it alone, in place of what is being said to it; then it is `Told`."""

    leg: LegId
    prompts: tuple[str, ...]  # none: be silent
    voice: str = ""  # the organisation whose recordings go before all


class Remove(Act, frozen=True, kw_only=True):
    leg: LegId
    cause: Cause = Cause.REMOVED


class CallOut(Act, frozen=True, kw_only=True):
    """Call somebody into the room. `to`: a SIP URI, or a number as `+46…`."""

    call: CallId
    to: str
    person: Person

    def __repr__(self) -> str:
        return f"CallOut(call={self.call!r})"  # whom one calls belongs in no log


class HangUp(Act, frozen=True, kw_only=True):
    """Call somebody no longer, or show no longer what came of it."""

    call: CallId


class MuteGuests(Act, frozen=True, kw_only=True):
    """Every guest who is in the room now. Asked for only; it becomes a `SetMuted` for each."""


class End(Act, frozen=True, kw_only=True):
    """Everybody leaves."""
