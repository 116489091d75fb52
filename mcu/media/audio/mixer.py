"""What each leg of a room hears, a tick at a time: everyone but itself, and the notices.

It mixes only legs that the gate has inside and that are not muted, whatever else the plane delivers, and gives room
sound only to legs that the gate has inside: whoever is outside gets silence, or the sound of a notice. It decides
neither. What a tick costs grows with who talks and what changes, not with how many listen.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mcu.ids import LegId
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.audio.sounds import piece
from mcu.media.audio.streams import Streams
from mcu.media.seams import Cue, Samples, SoundPlane

_LINGER = 10  # ticks for which a leg that has fallen silent keeps a stream of its own
_SOFTER = 4  # the room, to a leg that is told something: 12 dB
_NOWHERE = 0  # the room in which the plane hears whoever is not to be heard


class AudioMixer:
    """One room's sound. `loudest`: how many legs are mixed at a time."""

    def __init__(self, plane: SoundPlane, loudest: int) -> None:
        self._plane = plane
        self.room = plane.add_room(loudest)  # as the plane calls it
        self._streams = Streams(plane)
        self._handles: dict[LegId, int] = {}
        self._legs: dict[int, LegId] = {}  # by handle
        self._heard_at: set[LegId] = set()  # the plane hears these in this room
        self._may_be_heard: tuple[frozenset[LegId], frozenset[LegId]] | None = None  # inside and muted, as of then
        self._lingering: dict[LegId, int] = {}  # ticks for which a leg still has a stream of its own

    def connect(self, leg: LegId, handle: int) -> None:
        """A leg is connected, or connected anew: it hears, from the next tick on, what the gate lets it."""
        self.disconnect(leg)
        self._handles[leg] = handle
        self._legs[handle] = leg
        self._streams.connect(leg, handle)
        self._may_be_heard = None

    def has(self, leg: LegId, handle: int) -> bool:
        """Whether that is what the leg hears by."""
        return self._handles.get(leg) == handle

    def disconnect(self, leg: LegId) -> None:
        """The leg's connection is over. One that it has later, also in the next tick, begins anew."""
        handle = self._handles.pop(leg, None)
        if handle is not None:
            self._hear(leg, handle, _NOWHERE)
            del self._legs[handle]
            self._streams.disconnect(leg)
            self._lingering.pop(leg, None)

    def close(self) -> None:
        """The room is over."""
        for leg in list(self._handles):
            self.disconnect(leg)
        self._streams.close()
        self._plane.remove_room(self.room)

    def mix(
        self,
        said: Said,
        inside: frozenset[LegId],
        muted: frozenset[LegId],
        cues: Mapping[LegId, Sequence[Cue]],
        words: Mapping[LegId, Samples],
        out: Outgoing,
    ) -> dict[LegId, int]:
        """One tick: from what was said in the room to what is sent to whom. Returns -dBov of the legs that are mixed.

        `inside` and `muted` are the same objects for as long as nothing in them changes. `words`: what the server says
        to single legs.
        """
        talking = self._admitted(said, inside, muted)
        self._linger(talking, inside)
        self._streams.follow(inside, self._lingering.keys() | words.keys(), cues, out)
        self._fill(said, talking, words, out)
        self._follow(inside, muted)
        return {leg: said.talkers[at].level for leg, at in talking.items()}

    def start_over(self) -> None:
        """What `mix` made of this tick was not sent."""
        self._streams.start_over()

    # -- who is heard ------------------------------------------------------------------------------------------------

    def _admitted(self, said: Said, inside: frozenset[LegId], muted: frozenset[LegId]) -> dict[LegId, int]:
        """The rows that may be mixed, by leg."""
        rows: dict[LegId, int] = {}
        for at, talker in enumerate(said.talkers):
            leg = self._legs.get(talker.leg)
            if leg is not None and leg in inside and leg not in muted:
                rows[leg] = at
        return rows

    def _follow(self, inside: frozenset[LegId], muted: frozenset[LegId]) -> None:
        """Spare the plane what will not be mixed."""
        now = (inside, muted)
        if self._may_be_heard is not None and all(map(_same, self._may_be_heard, now)):
            return
        self._may_be_heard = now
        wanted = {leg for leg in self._handles if leg in inside and leg not in muted}
        for leg in wanted ^ self._heard_at:
            self._hear(leg, self._handles[leg], self.room if leg in wanted else _NOWHERE)

    def _hear(self, leg: LegId, handle: int, room: int) -> None:
        with contextlib.suppress(LookupError):  # its transport has just ended, which the room is about to hear
            self._plane.hear(handle, room)
        (self._heard_at.discard if room == _NOWHERE else self._heard_at.add)(leg)

    # -- what is sent ------------------------------------------------------------------------------------------------

    def _linger(self, talking: Iterable[LegId], inside: frozenset[LegId]) -> None:
        """A leg that falls silent keeps its own stream a little, until the room's has forgotten its voice."""
        left = {leg: ticks - 1 for leg, ticks in self._lingering.items() if ticks > 1 and leg in inside}
        self._lingering = left | dict.fromkeys(talking, _LINGER)

    def _fill(self, said: Said, talking: Mapping[LegId, int], words: Mapping[LegId, Samples], out: Outgoing) -> None:
        """A row for each stream that is heard: the room without its own leg where it is inside, what is said to that
        leg, and the notices."""
        rows = out.rows(list(self._streams.sounds.values()))
        if len(talking) == len(said.talkers):
            total = np.add.reduce(said.samples, dtype=np.int32)
        else:
            total = np.add.reduce(said.samples[list(talking.values())], dtype=np.int32)
        for row, stream in zip(rows, self._streams.sounds, strict=True):
            row[:] = total if stream.inside else 0
            if stream.inside and stream.leg is not None and stream.leg in talking:
                row -= said.samples[talking[stream.leg]]
            if stream.leg is not None and stream.leg in words:
                row //= _SOFTER
                row += words[stream.leg]
            for cue in self._streams.cues_of(stream):
                row += piece(cue)


def _same(one: object, other: object) -> bool:
    return one is other
