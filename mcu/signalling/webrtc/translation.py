"""Between the wire's messages and the room's words, both ways. Pure."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from mcu.conference import acts, updates
from mcu.conference.roster import Language, Person
from mcu.errors import Invalid
from mcu.ids import CallId, LegId, new_id
from mcu.media.messages import Layout
from mcu.signalling.webrtc import messages as wire
from mcu.signalling.webrtc.texts import notice_text

_encoder = msgspec.json.Encoder()
MAX_NAME = 200
MAX_ADDRESS = 254


def act_of(message: wire.AnyFromBrowser, leg: LegId) -> acts.Act | None:
    """What the one who sits in `leg` asks for; `None` for `hello`, which asks nothing of the room. Raises `Invalid`.

    Not of `restart_ice` and `language`, which are the socket's own.
    """
    return _ACTS[type(message)](message, leg)


def message_of(update: updates.Update, language: Language) -> wire.AnyToBrowser:
    """What a browser is told. Not of `Seated`, for whose message the socket makes a token; nor of rosters, below."""
    return _MESSAGES[type(update)](update, language)


@lru_cache(maxsize=64)
def roster_text(update: updates.RosterNow) -> bytes:
    """A roster as it is sent: encoded once for all who are told the same."""
    return _encoder.encode(wire.Roster(entries=[wire.Entry(**msgspec.structs.asdict(line)) for line in update.lines]))


def _layout(message: wire.ChooseLayout, leg: LegId) -> acts.Act:
    if not message.room:
        return acts.SetLegLayout(leg=leg, layout=message.layout)
    return acts.SetRoomLayout(layout=message.layout or Layout.AUTO)


def _call_out(message: wire.CallOut, leg: LegId) -> acts.Act:
    if not 1 <= len(message.name.strip()) <= MAX_NAME or len(message.to) > MAX_ADDRESS:
        raise Invalid(f"Give a name of 1 to {MAX_NAME} characters, and an address.")
    person = Person(name=message.name.strip(), role=message.role, language=message.language, kind="sip")
    return acts.CallOut(call=CallId(new_id("call")), to=message.to.strip(), person=person)


_ACTS: dict[type[wire.FromBrowser], Callable[[Any, LegId], acts.Act | None]] = {
    wire.Hello: lambda message, leg: None,
    wire.Mute: lambda message, leg: acts.SetMuted(leg=message.leg or leg, muted=message.muted),
    wire.Camera: lambda message, leg: acts.SetCamera(leg=leg, on=message.on),
    wire.Screen: lambda message, leg: acts.SetScreen(leg=leg, on=message.on),
    wire.Hold: lambda message, leg: acts.SetHeld(leg=leg, held=message.held),
    wire.Hand: lambda message, leg: acts.SetHand(leg=message.leg or leg, raised=message.raised),
    wire.ChooseLayout: _layout,
    wire.OwnView: lambda message, leg: acts.SetLegPersonal(leg=leg, personal=message.on),
    wire.Say: lambda message, leg: acts.Post(leg=leg, text=message.text),
    wire.Admit: lambda message, leg: acts.Admit(leg=message.leg),
    wire.Remove: lambda message, leg: acts.Remove(leg=message.leg),
    wire.Lock: lambda message, leg: acts.SetLocked(locked=message.locked),
    wire.PutSpotlight: lambda message, leg: acts.SetSpotlight(leg=message.leg),
    wire.MuteGuests: lambda message, leg: acts.MuteGuests(),
    wire.CallOut: _call_out,
    wire.HangUp: lambda message, leg: acts.HangUp(call=message.call),
    wire.EndRoom: lambda message, leg: acts.End(),
    wire.Leave: lambda message, leg: acts.Remove(leg=leg),
}


def _notice(update: updates.Noticed, language: Language) -> wire.NoticeShown:
    return wire.NoticeShown(
        notice=update.notice,
        kind=update.kind,
        text=notice_text(language, update.kind, update.names, update.missed),
        at=update.at.isoformat(timespec="milliseconds"),
        untold=[wire.Told(leg=one.leg, name=one.name, outcome=one.outcome) for one in update.untold],
    )


def _picture(update: updates.Picture, language: Language) -> wire.LayoutMap:
    return wire.LayoutMap(**msgspec.structs.asdict(update))


def _room(update: updates.RoomNow, language: Language) -> wire.RoomState:
    return wire.RoomState(locked=update.locked, layout=update.layout, spotlight=update.spotlight, active=update.active)


def _said(update: updates.Said, language: Language) -> wire.Chat:
    at = update.at.isoformat(timespec="milliseconds")
    return wire.Chat(leg=update.leg, name=update.name, text=update.text, at=at)


def _ending(update: updates.EndsAt, language: Language) -> wire.Ending:
    return wire.Ending(at=update.at.isoformat(timespec="seconds") if update.at is not None else None)


_MESSAGES: dict[type[updates.Update], Callable[[Any, Language], wire.AnyToBrowser]] = {
    updates.CallsNow: lambda update, language: wire.Calls(called=update.called),
    updates.InLobby: lambda update, language: wire.Lobby(reason=update.reason),
    updates.RoomNow: _room,
    updates.Noticed: _notice,
    updates.Picture: _picture,
    updates.NetworkNow: lambda update, language: wire.Network(level=update.level, trouble=update.trouble),
    updates.Said: _said,
    updates.MediaLost: lambda update, language: wire.Reconnect(),
    updates.EndsAt: _ending,
    updates.Over: lambda update, language: wire.Gone(cause=update.cause),
}
