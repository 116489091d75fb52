"""Which stream of sound each leg of a room hears, and since when: told to the plane only where it changes.

One stream is for all who are inside and do not talk, one for all at the door who hear the same notice; whoever talks,
or hears what nobody else hears, has one of their own. A stream lasts as long as somebody hears it. A stream of those
who are outside is never one that anybody inside has heard: nothing of the room is in it, or in its encoder. And
those who enter begin, for a tick, on a new stream: in an encoder's overlap is what was said before they came.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from mcu.ids import LegId
from mcu.media.audio.outgoing import Outgoing
from mcu.media.seams import Cue, SoundPlane
from mcu.tally import one_less

Cues = tuple[Cue, ...]

_NOTHING, _SILENCE = 0, -1  # what the plane has instead of a stream


class Stream(NamedTuple):
    """`leg`: whose own it is; None: it is shared. `inside`: the room is in it. `entry`: of those who enter together."""

    leg: LegId | None
    inside: bool
    entry: int = 0


ROOM = Stream(None, True)  # whoever is inside and does not talk
DOOR = Stream(None, False)  # whoever is outside and hears the same notice


class Streams:
    """One room's streams, and the legs that hear them."""

    def __init__(self, plane: SoundPlane) -> None:
        self._plane = plane
        self.sounds: dict[Stream, int] = {}  # the streams that are heard, as the plane calls them
        self._listeners = Counter[Stream]()
        self._handles: dict[LegId, int] = {}
        self._heard: dict[LegId, Stream | None] = {}  # by each leg; None: silence
        self._unheard: list[int] = []  # streams that nobody hears since this tick
        self._dropped: list[int] = []  # handles of legs that are to be sent nothing more
        self._silenced: list[int] = []  # those that were in the tick before
        self._fresh: set[LegId] = set()  # that are not routed yet
        self._inside: frozenset[LegId] = frozenset()
        self._entering: frozenset[LegId] = frozenset()
        self._entry = ROOM  # the stream of those who enter in this tick
        self._own: Collection[LegId] = frozenset()
        self._cues: Mapping[LegId, Cues] = {}
        self._common: dict[Stream, Cues] = {ROOM: (), DOOR: ()}

    def connect(self, leg: LegId, handle: int) -> None:
        """A leg can be sent sound from the next tick on."""
        self.disconnect(leg)
        self._handles[leg] = handle
        self._fresh.add(leg)

    def disconnect(self, leg: LegId) -> None:
        """Nothing more is sent to it, from the next tick on."""
        handle = self._handles.pop(leg, None)
        if handle is not None:
            self._leave(leg)
            self._fresh.discard(leg)
            self._dropped.append(handle)

    def cues_of(self, stream: Stream) -> Cues:
        """The notices that are in a stream in this tick."""
        return self._common[stream] if stream.leg is None else self._cues.get(stream.leg, ())

    def follow(
        self,
        inside: frozenset[LegId],
        own: Collection[LegId],
        cues: Mapping[LegId, Sequence[Cue]],
        out: Outgoing,
    ) -> None:
        """One tick. `own`: legs that need a stream of their own, inside or not.

        In a tick without notices, and after one, only legs are looked at for which something may have changed.
        """
        for sound in self._unheard:
            self._plane.remove_sound(sound)
        self._unheard.clear()
        entered, self._entering = self._entering, frozenset() if inside is self._inside else inside - self._inside
        if self._entering:
            self._entry = Stream(None, True, self._entry.entry + 1)
        before, self._cues = self._cues, {leg: tuple(due) for leg, due in cues.items()}
        changed: Iterable[LegId]
        if self._cues or before:
            changed = self._handles
        else:
            changed = self._fresh.union(set(own) ^ set(self._own), _differ(inside, self._inside), entered)
        self._inside, self._own = inside, own
        self._common = self._most_heard()
        for handle in self._dropped:
            out.route(handle, _NOTHING)
        self._silenced, self._dropped = self._dropped, []
        for leg in list(changed):
            if leg in self._handles:
                self._hear(leg, self._stream_of(leg), out)
        self._fresh.clear()

    def start_over(self) -> None:
        """The plane was not told: nothing of what it hears now can be relied on."""
        self._dropped += self._silenced
        self._inside -= self._entering  # they have not entered yet
        for leg in self._handles:
            self._leave(leg)
            self._fresh.add(leg)

    def close(self) -> None:
        for sound in (*self.sounds.values(), *self._unheard):
            self._plane.remove_sound(sound)
        self.sounds.clear()
        self._unheard.clear()

    def _most_heard(self) -> dict[Stream, Cues]:
        if not self._cues:
            return {ROOM: (), DOOR: (), self._entry: ()}
        shared = [leg for leg in self._handles if leg in self._inside and leg not in self._own]
        here = [self._cues.get(leg, ()) for leg in shared if leg not in self._entering]
        new = [self._cues.get(leg, ()) for leg in shared if leg in self._entering]
        at_door = [self._cues[leg] for leg in self._cues.keys() & self._handles.keys() if leg not in self._inside]
        return {ROOM: _commonest(here), DOOR: _commonest(at_door), self._entry: _commonest(new)}

    def _stream_of(self, leg: LegId) -> Stream | None:
        """Two legs share a stream only if they hear the very same."""
        cues, inside = self._cues.get(leg, ()), leg in self._inside
        if not inside and not cues and leg not in self._own:
            return None
        shared = self._entry if leg in self._entering else ROOM if inside else DOOR
        return Stream(leg, inside) if leg in self._own or cues != self._common[shared] else shared

    def _hear(self, leg: LegId, stream: Stream | None, out: Outgoing) -> None:
        if leg in self._heard and self._heard[leg] == stream:
            return
        self._leave(leg)
        self._heard[leg] = stream
        if stream is None:
            out.route(self._handles[leg], _SILENCE)
            return
        if stream not in self.sounds:
            self.sounds[stream] = self._plane.add_sound(stream.inside)
        self._listeners[stream] += 1
        out.route(self._handles[leg], self.sounds[stream])

    def _leave(self, leg: LegId) -> None:
        """A stream that nobody hears any more ends a tick later: an encoder that starts may go on from it."""
        stream = self._heard.pop(leg, None)
        if stream is None:
            return
        if one_less(self._listeners, stream):
            self._unheard.append(self.sounds.pop(stream))


def _differ(one: frozenset[LegId], other: frozenset[LegId]) -> frozenset[LegId]:
    return frozenset() if one is other else one ^ other


def _commonest(cues: list[Cues]) -> Cues:
    if not cues:
        return ()
    if cues.count(cues[0]) == len(cues):  # as a rule; and quickly found out
        return cues[0]
    return Counter(cues).most_common(1)[0][0]
