"""The keys of a telephone that sits in a room, and what it is told there. Pure: keys and news in, what to do out.

Commands are two keys each, so that a lost key is not another command. What a key asks for is for the room's policy to
grant or refuse, as a browser's wish is. Each is answered by words that the caller alone hears; what happens in the room
meanwhile is told after what is being said, and summed up.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mcu.conference.acts import (
    Act,
    Admit,
    End,
    MuteGuests,
    SetHand,
    SetLegLayout,
    SetLocked,
    SetMuted,
    SetRoomLayout,
)
from mcu.conference.policy import HostsOnly
from mcu.conference.roster import Line
from mcu.conference.updates import EndsAt, InLobby, Noticed, Picture, RoomNow, RosterNow, Told, Update
from mcu.errors import McuError
from mcu.ids import LegId, NoticeId
from mcu.media.life import LegState
from mcu.media.messages import Layout, NoticeKind
from mcu.signalling.sip.prompts import LAYOUTS, Prompt, Words, counted, news, number

BETWEEN_S: Final = 4.0  # from the first key of a command to the second
AGAIN_S: Final = 10.0  # in which the end of the meeting is confirmed
STILL_S: Final = 30.0  # between two words to who waits in the lobby
SPOKEN_S: Final = 60.0  # no words are longer: if nobody says that they are over, they are
NOTICES_KEPT: Final = 64  # that are not told again

_PRESENT: Final = frozenset({LegState.ANNOUNCING, LegState.IN_ROOM, LegState.HELD, LegState.RECONNECTING})
_LAYOUTS: Final = tuple(Layout)


@dataclass(frozen=True, slots=True)
class Do:
    """Ask the room for `acts`, and then say `words`; where it refuses, what `Controls.refused` says."""

    words: Words
    acts: tuple[Act, ...] = ()


class Controls:
    """One leg's."""

    def __init__(self, leg: LegId) -> None:
        self._leg = leg
        self._first, self._first_at = "", 0.0  # key of a command
        self._end_until = 0.0  # the end of the meeting may be confirmed
        self._me: Line | None = None
        self._now = RosterNow(lines=[])
        self._locked = False
        self._layout = Layout.AUTO  # the room's
        self._own_layout: Layout | None = None
        self._sees = False  # it takes a picture
        self._lobby: InLobby | None = None
        self._entered = False
        self._wished: dict[str, bool] = {}  # what it has chosen itself: of the microphone, and of the hand
        self._still_at: float | None = None
        self._spoken_at: float | None = None  # what is being said is over, at the latest
        self._later = deque[Words](maxlen=8)  # to be said then
        self._telling: Words = ()  # of that, what is being said
        self._news = Counter[NoticeKind]()
        self._known = deque[NoticeId](maxlen=NOTICES_KEPT)
        self._commands: dict[str, Callable[[float], Do]] = {
            "*1": self._admit,
            "*2": self._who_waits,
            "*3": self._hand,
            "*4": self._presentation,
            "*5": lambda _: Do((Prompt.GUESTS_MUTED,), (MuteGuests(),)),
            "*6": self._microphone,
            "*7": self._lock,
            "*8": self._next_layout,
            "*9": self._roll,
            "*0": self._help,
            "##": self._end,
        }

    # -- keys ---------------------------------------------------------------------------------------------------------

    def key(self, key: str, now: float) -> list[Do]:
        """One of 0-9, A-D, * and #. Whoever presses one where a machine had answered is there to be heard (S5.3-9)."""
        if self._me is not None and self._me.unattended:
            return [self._said(Do((Prompt.UNMUTED,), (SetMuted(leg=self._leg, muted=False),)), now)]
        first = self._first if now - self._first_at <= BETWEEN_S else ""
        command = self._commands.get(first + key)
        self._first, self._first_at = (key if command is None and key in "*#" else ""), now
        if command is None:
            return []
        if not self._entered and command not in (self._microphone, self._help):
            return [self._said(Do((Prompt.CANNOT,)), now)]
        return [self._said(command(now), now)]

    def refused(self, error: McuError, now: float) -> Words:
        """What to say of it, in place of the answer."""
        self._spoken_at = now + SPOKEN_S
        return (Prompt.ONLY_HOST if isinstance(error, HostsOnly) else Prompt.CANNOT,)

    def _admit(self, now: float) -> Do:
        if not self._is_host:
            return Do((Prompt.ONLY_HOST,))
        waiting = self._now.waiting
        return Do((Prompt.ADMITTED,), (Admit(leg=waiting[0].leg),)) if waiting else Do((Prompt.NOBODY_WAITS,))

    def _who_waits(self, now: float) -> Do:
        if not self._is_host:
            return Do((Prompt.ONLY_HOST,))
        return Do(self._waiting_words() or (Prompt.NOBODY_WAITS,))

    def _hand(self, now: float) -> Do:
        raised = self._wished["hand"] = not (self._me and self._me.hand)
        return Do((Prompt.HAND_UP if raised else Prompt.HAND_DOWN,), (SetHand(leg=self._leg, raised=raised),))

    def _microphone(self, now: float) -> Do:
        muted = self._wished["muted"] = not (self._me and self._me.muted)
        return Do((Prompt.MUTED if muted else Prompt.UNMUTED,), (SetMuted(leg=self._leg, muted=muted),))

    def _lock(self, now: float) -> Do:
        locked = not self._locked
        return Do((Prompt.LOCKED if locked else Prompt.UNLOCKED,), (SetLocked(locked=locked),))

    def _presentation(self, now: float) -> Do:
        """In the composed picture, or out of it. Without a picture: whether there is one, for it has no sound."""
        if not self._sees:
            return Do((Prompt.PRESENTATION_SHOWN if self._now.screens else Prompt.PRESENTATION_NONE,))
        out = self._own_layout not in (Layout.SPEAKER_WITH_TILES, Layout.GRID, Layout.SPEAKER)
        self._own_layout = Layout.SPEAKER_WITH_TILES if out else None
        words = (Prompt.PRESENTATION_OUT if out else Prompt.PRESENTATION_IN,)
        return Do(words, (SetLegLayout(leg=self._leg, layout=self._own_layout),))

    def _next_layout(self, now: float) -> Do:
        """Of its own picture; of everybody's, for hosts whose telephone has none."""
        former = (self._own_layout or self._layout) if self._sees else self._layout
        layout = _LAYOUTS[(_LAYOUTS.index(former) + 1) % len(_LAYOUTS)]
        if not self._sees:
            return Do((LAYOUTS[layout],), (SetRoomLayout(layout=layout),))
        self._own_layout = layout
        return Do((LAYOUTS[layout],), (SetLegLayout(leg=self._leg, layout=layout),))

    def _roll(self, now: float) -> Do:
        here = [line for line in self._now.lines if line.state in _PRESENT]
        if len(here) <= 1:
            return Do((Prompt.ALONE, *self._waiting_words()))
        hosts = sum(line.role == "host" for line in here)
        words = (
            *number(len(here)),
            Prompt.HERE,
            *(counted(hosts, Prompt.ONE_HOST, Prompt.HOSTS) or (Prompt.NO_HOST,)),
            *counted(sum(line.kind == "sip" for line in here), Prompt.ONE_TELEPHONE, Prompt.TELEPHONES),
            *counted(sum(line.hand > 0 for line in here), Prompt.ONE_HAND, Prompt.HANDS),
            *self._waiting_words(),
            *((Prompt.IS_LOCKED,) if self._locked else ()),
        )
        return Do(words)

    def _help(self, now: float) -> Do:
        if not self._entered:
            return Do((Prompt.HELP_LOBBY,))
        return Do((Prompt.HELP, Prompt.HELP_HOST) if self._is_host else (Prompt.HELP,))

    def _end(self, now: float) -> Do:
        if not self._is_host:
            return Do((Prompt.ONLY_HOST,))
        if now < self._end_until:
            return Do((), (End(),))
        self._end_until = now + AGAIN_S
        return Do((Prompt.END_AGAIN,))

    @property
    def _is_host(self) -> bool:
        return self._me is not None and self._me.role == "host"

    def _waiting_words(self) -> Words:
        """Of those whom this caller may let in. The policy shows them to hosts alone."""
        return counted(len(self._now.waiting), Prompt.ONE_WAITS, Prompt.WAIT)

    # -- what the room tells ------------------------------------------------------------------------------------------

    def heard_of(self, update: Update, now: float, wall: datetime) -> list[Do]:
        match update:
            case Told():
                self._spoken_at, self._telling = None, ()
            case RosterNow():
                self._roster(update)
            case RoomNow(locked=locked, layout=layout):
                self._locked, self._layout = locked, layout
            case InLobby():
                self._lobby, self._still_at = update, now + STILL_S
                self._later.append((Prompt.LOBBY_HOST if update.reason == "host" else Prompt.LOBBY_ADMISSION,))
            case Noticed():
                self._noticed(update)
            case Picture():
                self._sees = True
            case EndsAt(at=at) if at is not None:
                minutes = max(1, round((at - wall).total_seconds() / 60))
                left = (Prompt.ONE_MINUTE,) if minutes == 1 else (*number(minutes), Prompt.MINUTES)
                self._later.append((Prompt.ENDS_IN, *left))
            case _:
                pass  # of lines of chat, and networks, a telephone is not told
        return self._tell_later(now)

    def next_timer(self) -> float | None:
        waits = [self._spoken_at] if self._later or self._news else []
        return min((at for at in (*waits, self._still_at) if at is not None), default=None)

    def handle_timer(self, now: float) -> list[Do]:
        if self._spoken_at is not None and now >= self._spoken_at:
            self._spoken_at, self._telling = None, ()
        if self._still_at is not None and now >= self._still_at:
            self._still_at = now + STILL_S
            self._later.append((Prompt.STILL_WAITING,))
        return self._tell_later(now)

    def is_known(self, update: RosterNow | RoomNow) -> bool:
        """Whether it says nothing new to this caller: no more than who else speaks, as a rule. It is taken note of."""
        if isinstance(update, RoomNow):
            return (update.locked, update.layout) == (self._locked, self._layout)
        return self._is_known_roster(update)

    def _is_known_roster(self, roster: RosterNow) -> bool:
        me = roster.by_leg.get(self._leg)
        known = me is not None and me == self._me
        if not known or (self._is_host and len(roster.waiting) != len(self._now.waiting)):
            return False
        self._now = roster
        return True

    def _roster(self, now: RosterNow) -> None:
        me = now.by_leg.get(self._leg)
        if me is None:
            return
        former, before = self._me, self._now
        self._me, self._now = me, now
        if not self._entered and me.state is LegState.IN_ROOM:
            self._entered, self._still_at = True, None
            self._later.append((Prompt.ENTERED if self._lobby is None else Prompt.LET_IN,))
            if me.muted and not self._wished.get("muted"):
                self._later.append((Prompt.PRESS if me.unattended else Prompt.IS_MUTED,))
        elif former is not None and self._entered:
            self._changed(former, me)
        if self._is_host and len(now.waiting) > len(before.waiting):
            self._later.append(self._waiting_words())

    def _changed(self, former: Line, me: Line) -> None:
        """By others."""
        if me.muted and not former.muted and not self._wished.get("muted"):
            self._later.append((Prompt.MUTED_BY_HOST,))
        if former.hand and not me.hand and self._wished.get("hand"):
            self._later.append((Prompt.HAND_LOWERED,))
        if me.role != former.role:
            self._later.append((Prompt.IS_HOST if me.role == "host" else Prompt.IS_GUEST,))

    def _noticed(self, update: Noticed) -> None:
        """To hosts a notice is told again when it is known whom it did not reach."""
        if update.notice in self._known:
            if update.untold:
                self._later.append((Prompt.NOT_ALL_TOLD,))
            return
        self._known.append(update.notice)
        if update.kind is NoticeKind.MISSED:
            missed = [word for kind, count in update.missed.items() for word in news(kind, count)]
            self._later.append((Prompt.WHILE_AWAY, *missed))
        elif update.names:
            self._news[update.kind] += len(update.names)

    # -- words --------------------------------------------------------------------------------------------------------

    def _said(self, done: Do, now: float) -> Do:
        """An answer: in place of what is being said, of which what nobody asked for is told again after it."""
        if self._telling:
            self._later.appendleft(self._telling)
            self._telling = ()
        self._spoken_at = now + SPOKEN_S if done.words else None
        return done

    def _tell_later(self, now: float) -> list[Do]:
        """What waits to be told, if nothing is being said."""
        if self._spoken_at is not None or not (self._later or self._news):
            return []
        words = [word for one in self._later for word in one]
        words += [word for kind, count in self._news.items() for word in news(kind, count)]
        self._later.clear()
        self._news.clear()
        told = self._said(Do(tuple(words)), now)
        self._telling = told.words
        return [told]
