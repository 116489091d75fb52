"""Telling people: which front end watches which seat, and what each has been told already.

Everybody is told only what they may see, and only when it has changed. Who has not been announced to the others sees
itself alone: no name, no line of chat, no picture, nothing of the room (S5.3-1). Chat is kept (the newest 200 lines)
for those who come back: a leg is given what was said since it was first in the room, never what was said before.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from mcu.conference.policy import waits_for
from mcu.conference.roster import Line, Roster, Seat, for_guests, for_outside
from mcu.conference.updates import (
    CallsNow,
    EndsAt,
    GoneCause,
    InLobby,
    MediaLost,
    NetworkNow,
    Noticed,
    Over,
    Picture,
    RoomNow,
    RosterNow,
    Said,
    Seated,
    Told,
    Untold,
    Update,
    Watcher,
)
from mcu.ids import LegId, NoticeId
from mcu.media.life import LegState
from mcu.media.messages import LayoutChanged, NetworkChanged, NoticeRecord, Outcome
from mcu.tally import remember

MAX_CHAT_KEPT = 200
MAX_NAMES = 1000  # of those who have left, for the notices that tell of it
MAX_NOTICES = 200  # whose reach is still followed
FAILED = frozenset({Outcome.NOT_SENT, Outcome.NOT_RECEIVED})
_NOBODY = CallsNow(called=[])


@dataclass(kw_only=True)
class _Told:
    """What one watcher knows."""

    watcher: Watcher
    roster: RosterNow | None = None
    calls: CallsNow = _NOBODY
    room: RoomNow | None = None
    lobby: InLobby | None = None
    picture: Picture | None = None
    chat: int = 0  # the lines that are behind it


@dataclass(kw_only=True)
class _Shown:
    """How far a notice has been shown."""

    record: NoticeRecord  # the latest
    to: set[LegId] = field(default_factory=set)
    untold: dict[LegId, list[Untold]] = field(default_factory=dict)  # as each host was last told


class Audience:
    """The watchers of one room."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._told: dict[LegId, _Told] = {}
        self._pictures: dict[LegId, Picture] = {}
        self._networks: dict[LegId, NetworkNow] = {}
        self._chat: deque[Said] = deque(maxlen=MAX_CHAT_KEPT)
        self._said = 0  # lines ever
        self._names: OrderedDict[LegId, str] = OrderedDict()
        self._notices: OrderedDict[NoticeId, _Shown] = OrderedDict()
        self._ends = EndsAt(at=None)
        self._for_hosts = self._for_guests = RosterNow(lines=[])

    def __len__(self) -> int:
        return len(self._told)

    # -- coming and going -------------------------------------------------------------------------------------------

    def attach(self, seat: Seat, watcher: Watcher, seated: Seated) -> None:
        """From now on `watcher` is told what this seat may know. One that watched it before is told that it is over."""
        self.release(seat.leg, "replaced")
        told = self._told[seat.leg] = _Told(watcher=watcher)
        watcher.tell(seated)
        self._catch_up(told, seat)
        self._show_what_was_played(seat)
        if (network := self._networks.get(seat.leg)) is not None:
            watcher.tell(network)
        if self._ends.at is not None:
            watcher.tell(self._ends)

    def detach(self, leg: LegId, watcher: Watcher) -> None:
        """`watcher` has gone; nothing if another has taken its place."""
        if leg in self._told and self._told[leg].watcher is watcher:
            del self._told[leg]

    def release(self, leg: LegId, cause: GoneCause) -> None:
        """Tell the watcher of a seat that it is over."""
        if (told := self._told.pop(leg, None)) is not None:
            told.watcher.tell(Over(cause=cause))

    def name(self, seat: Seat) -> None:
        """Remember a name for the notices to come, also that of the leaving."""
        remember(self._names, seat.leg, seat.person.name, MAX_NAMES)

    def name_of(self, leg: LegId) -> str | None:
        return self._names.get(leg)

    def forget(self, leg: LegId) -> None:
        """Its picture and its network: the seat is gone."""
        self._pictures.pop(leg, None)
        self._networks.pop(leg, None)

    # -- news -------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Tell each what has changed for it since it was last told."""
        if not self._told:
            return
        roster = self._roster
        lines = roster.lines()
        self._for_hosts = _newer(self._for_hosts, lines)
        self._for_guests = _newer(self._for_guests, for_guests(lines, frozenset(seat.leg for seat in roster.waiting)))
        room = RoomNow(locked=roster.locked, layout=roster.layout, spotlight=roster.spotlight, active=roster.active)
        lobby = InLobby(reason=waits_for(roster))
        calls = CallsNow(called=list(roster.called.values()))
        for leg, told in self._told.items():
            if (seat := roster.get(leg)) is not None:
                self._refresh_one(told, seat, lines, room, lobby)
                self._refresh_calls(told, seat, calls)

    def _refresh_one(self, told: _Told, seat: Seat, lines: list[Line], room: RoomNow, lobby: InLobby) -> None:
        if seat.knows:
            now = self._for_hosts if seat.is_host else self._for_guests
        else:
            now = _newer(told.roster, for_outside(lines, seat.leg))
        if now is not told.roster:
            told.roster = now
            told.watcher.tell(now)
        if seat.knows and room != told.room:
            told.room = room
            told.watcher.tell(room)
        self._catch_up(told, seat)
        if seat.state is LegState.WAITING and not seat.admitted and lobby != told.lobby:
            told.lobby = lobby
            told.watcher.tell(lobby)

    def _refresh_calls(self, told: _Told, seat: Seat, calls: CallsNow) -> None:
        shown = calls if seat.is_host and seat.knows else _NOBODY
        if shown != told.calls:
            told.calls = shown
            told.watcher.tell(shown)

    def _catch_up(self, told: _Told, seat: Seat) -> None:
        """With its picture, and with what was said since it was first in the room."""
        if not seat.knows or seat.entered_at is None:
            return
        if told.chat < self._said:
            behind = islice(self._chat, max(0, len(self._chat) - (self._said - told.chat)), None)
            told.chat = self._said
            for said in behind:
                if said.at >= seat.entered_at:
                    told.watcher.tell(said)
        picture = self._pictures.get(seat.leg)
        if picture is not None and picture is not told.picture:
            told.picture = picture
            told.watcher.tell(picture)

    def picture(self, leg: LegId, event: LayoutChanged) -> None:
        if (seat := self._roster.get(leg)) is not None:
            update = Picture(
                layout=event.layout,
                width=event.width,
                height=event.height,
                tiles=event.tiles,
                content=event.content,
                personal=event.personal,
            )
            self._pictures[leg] = update
            seat.view = event.personal
            if (told := self._told.get(leg)) is not None:
                self._catch_up(told, seat)

    def network(self, leg: LegId, event: NetworkChanged) -> None:
        if leg in self._roster:
            update = self._networks[leg] = NetworkNow(level=event.level, trouble=event.trouble)
            self._tell(leg, update)

    def told(self, leg: LegId) -> None:
        self._tell(leg, Told())

    def say(self, leg: LegId, text: str, now: datetime) -> None:
        seat = self._roster.get(leg)
        if seat is None:
            return
        self._chat.append(Said(leg=leg, name=seat.person.name, text=text, at=now))
        self._said += 1
        for reader, told in self._told.items():
            if (sitting := self._roster.get(reader)) is not None:
                self._catch_up(told, sitting)

    def reconnect(self) -> None:
        for told in self._told.values():
            told.watcher.tell(MediaLost())

    def ends(self, at: datetime | None) -> None:
        if self._ends.at != at:
            self._ends = EndsAt(at=at)
            for told in self._told.values():
                told.watcher.tell(self._ends)

    # -- notices ----------------------------------------------------------------------------------------------------

    def notice(self, record: NoticeRecord) -> None:
        """Show a notice to those it is for, once; and to each host whom it did not reach (S5.3-7)."""
        shown = self._notices.setdefault(record.notice, _Shown(record=record))
        shown.record = record
        if len(self._notices) > MAX_NOTICES:
            self._notices.popitem(last=False)
        untold = self._untold(record)
        for seat in self._roster.inside:
            for_host = untold if seat.is_host and seat.knows else []
            new = seat.leg in record.recipients and seat.leg not in shown.to
            if new or for_host != shown.untold.get(seat.leg, []):
                self._show(shown, seat.leg, for_host)

    def _show_what_was_played(self, seat: Seat) -> None:
        """To a page that opens after the sound of its leg: what was played to the leg when nobody watched."""
        for shown in self._notices.values():
            played = shown.record.recipients.get(seat.leg, Outcome.NOT_SENT) not in FAILED
            if played and seat.leg not in shown.to:
                self._show(shown, seat.leg, self._untold(shown.record) if seat.is_host and seat.knows else [])

    def _show(self, shown: _Shown, leg: LegId, untold: list[Untold]) -> None:
        if leg in self._told:
            shown.to.add(leg)
            shown.untold[leg] = untold
            self._tell(leg, self._noticed(shown.record, leg, untold))

    def _untold(self, record: NoticeRecord) -> list[Untold]:
        """Those it did not reach and who still have a seat: for one who has left, there is nothing to be told of."""
        return [
            Untold(leg=leg, name=seat.person.name, outcome=outcome)
            for leg, outcome in record.recipients.items()
            if outcome in FAILED and (seat := self._roster.get(leg)) is not None
        ]

    def _noticed(self, record: NoticeRecord, to: LegId, untold: list[Untold]) -> Noticed:
        return Noticed(
            notice=record.notice,
            kind=record.kind,
            names=[self._names.get(leg, "") for leg in record.legs if leg != to],
            missed=record.missed,
            at=datetime.fromtimestamp(record.wall_ms / 1000, UTC),
            untold=untold,
        )

    def _tell(self, leg: LegId, update: Update) -> None:
        if (told := self._told.get(leg)) is not None:
            told.watcher.tell(update)


def _newer(told: RosterNow | None, lines: list[Line]) -> RosterNow:
    """What was told before, if it is still so: then nobody need be told again."""
    return told if told is not None and told.lines == lines else RosterNow(lines=lines)
