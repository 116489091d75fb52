"""Carries out what policy has granted: in the roster, at the worker, and before the people.

It asks nobody whether it may. Each act is done at once in the roster; the worker's part is sent and not waited for.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from mcu.clock import Clock
from mcu.conference.acts import (
    Act,
    Admit,
    Post,
    Remove,
    SetCamera,
    SetHand,
    SetHeld,
    SetLegLayout,
    SetLegPersonal,
    SetLocked,
    SetMuted,
    SetRole,
    SetRoomLayout,
    SetRoomPersonal,
    SetScreen,
    SetSpotlight,
    Tell,
)
from mcu.conference.audience import Audience
from mcu.conference.link import Link
from mcu.conference.roster import Roster, Seat
from mcu.errors import NotFound, Unavailable
from mcu.ids import LegId, RoomId
from mcu.media import messages as media
from mcu.media.frames import AnyReply

Sent = asyncio.Task[AnyReply]


async def replied(sent: Sent) -> AnyReply:
    """The worker's reply, which others may wait for too. Raises what it failed with, or `Unavailable`."""
    try:
        return await asyncio.shield(sent)
    except asyncio.CancelledError:
        if sent.cancelled():  # the room has closed; whoever waits here has not been cancelled
            raise Unavailable("The room has closed.") from None
        raise


class Executor:
    """One room's hands. `on_missing` is told of a leg that was to be removed and that the worker does not have."""

    def __init__(
        self,
        room: RoomId,
        roster: Roster,
        link: Link,
        audience: Audience,
        *,
        clock: Clock,
        on_missing: Callable[[LegId, media.Cause], None],
    ) -> None:
        self._room, self._roster, self._link, self._audience = room, roster, link, audience
        self._clock = clock
        self._on_missing = on_missing
        self._how: dict[type[Act], Callable[[Any], Sent | None]] = {
            Admit: self._admit,
            SetMuted: self._set_muted,
            SetHeld: self._set_held,
            SetCamera: self._set_camera,
            SetScreen: self._set_screen,
            SetHand: self._set_hand,
            SetRole: self._set_role,
            SetLegLayout: self._set_leg_layout,
            SetLegPersonal: self._set_leg_personal,
            SetRoomLayout: self._set_room_layout,
            SetRoomPersonal: self._set_room_personal,
            SetLocked: self._set_locked,
            SetSpotlight: self._set_spotlight,
            Post: self._post,
            Tell: self._tell,
            Remove: self._remove,
        }

    def do(self, act: Act) -> Sent | None:
        """What was sent to the worker, if anything was."""
        return self._how[type(act)](act)

    def say_again(self, seat: Seat) -> None:
        """What a new worker, or a new seat there, cannot know of a seat."""
        self._send_pictures(seat)
        if seat.layout is not None:
            self._link.send(media.SetLegLayout(room=self._room, leg=seat.leg, layout=seat.layout))
        if self._roster.is_personal(seat):
            self._send_personal(seat)

    def _admit(self, act: Admit) -> Sent:
        self._seat(act.leg).admitted = True
        return self._link.send(media.AdmitLeg(room=self._room, leg=act.leg))

    def _set_muted(self, act: SetMuted) -> Sent:
        seat = self._seat(act.leg)
        seat.muted, seat.unattended = act.muted, seat.unattended and act.muted
        return self._link.send(media.MuteLeg(room=self._room, leg=act.leg, muted=act.muted))

    def _set_held(self, act: SetHeld) -> Sent:
        self._seat(act.leg).held = act.held
        return self._link.send(media.HoldLeg(room=self._room, leg=act.leg, held=act.held))

    def _set_camera(self, act: SetCamera) -> Sent:
        seat = self._seat(act.leg)
        seat.camera = act.on
        return self._send_pictures(seat)

    def _set_screen(self, act: SetScreen) -> Sent:
        seat = self._seat(act.leg)
        seat.screen = act.on
        return self._send_pictures(seat)

    def _send_pictures(self, seat: Seat) -> Sent:
        command = media.CameraLeg(room=self._room, leg=seat.leg, camera=seat.camera, screen=seat.screen)
        return self._link.send(command)

    def _set_hand(self, act: SetHand) -> None:
        self._roster.raise_hand(self._seat(act.leg), act.raised)

    def _set_role(self, act: SetRole) -> None:
        seat = self._seat(act.leg)
        seat.person = msgspec.structs.replace(seat.person, role=act.role)

    def _set_leg_layout(self, act: SetLegLayout) -> Sent:
        self._seat(act.leg).layout = act.layout
        return self._link.send(media.SetLegLayout(room=self._room, leg=act.leg, layout=act.layout))

    def _set_leg_personal(self, act: SetLegPersonal) -> Sent:
        seat = self._seat(act.leg)
        seat.personal = act.personal
        return self._send_personal(seat)

    def _set_room_personal(self, act: SetRoomPersonal) -> None:
        self._roster.personal = act.personal
        for seat in self._roster:
            self._send_personal(seat)

    def _send_personal(self, seat: Seat) -> Sent:
        command = media.PersonalLeg(room=self._room, leg=seat.leg, personal=self._roster.is_personal(seat))
        return self._link.send(command)

    def _set_room_layout(self, act: SetRoomLayout) -> Sent:
        self._roster.layout = act.layout
        return self._link.send(media.SetRoomLayout(room=self._room, layout=act.layout))

    def _set_locked(self, act: SetLocked) -> None:
        self._roster.locked = act.locked

    def _set_spotlight(self, act: SetSpotlight) -> Sent:
        self._roster.spotlight = act.leg
        return self._link.send(media.Spotlight(room=self._room, leg=act.leg))

    def _post(self, act: Post) -> None:
        self._audience.say(act.leg, act.text, self._clock.now())

    def _tell(self, act: Tell) -> Sent:
        said = media.SayToLeg(room=self._room, leg=act.leg, prompts=list(act.prompts), voice=act.voice)
        return self._link.send(said)

    def _remove(self, act: Remove) -> Sent:
        sent = self._link.send(media.RemoveLeg(room=self._room, leg=act.leg, cause=act.cause))
        sent.add_done_callback(lambda task: self._removed(task, act))
        return sent

    def _removed(self, task: Sent, act: Remove) -> None:
        if not task.cancelled() and isinstance(task.exception(), NotFound):
            self._on_missing(act.leg, act.cause)

    def _seat(self, leg: LegId) -> Seat:
        seat = self._roster.get(leg)
        if seat is None:
            raise NotFound("Nobody here sits in that seat.")
        return seat
