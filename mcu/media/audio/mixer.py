"""What each leg of a room hears, a tick at a time: everyone but itself, and the notices.

It mixes only legs that the gate has inside and that are not muted, and gives room sound only to legs that the gate has
inside: whoever is outside gets silence, or the sound of a notice. It decides neither.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from mcu.ids import LegId
from mcu.media.audio.input import AudioInput
from mcu.media.audio.level import SILENCE, level_of
from mcu.media.audio.loudest import Loudest
from mcu.media.audio.opus import OpusEncoder, silence
from mcu.media.audio.sounds import piece
from mcu.media.seams import TICK_SAMPLES, Cue, Samples

_LINGER = 10  # ticks for which a leg that has fallen silent keeps an encode of its own
_PRIMED_BY = 2  # ticks that an encoder hears before it takes over a leg from another
_FALL = np.linspace(1, 0, TICK_SAMPLES, dtype=np.float32)

Sum = npt.NDArray[np.int32]
_NO_SUM: Sum = np.zeros(TICK_SAMPLES, np.int32)

_Cues = tuple[Cue, ...]


class Shared(Enum):
    """The streams that are not one leg's own."""

    ROOM = "room"  # whoever is inside and does not talk
    DOOR = "door"  # whoever is outside and hears the same notice
    SILENT = "silent"  # whoever is outside and hears nothing: one packet, made once


_Stream = LegId | Shared


@dataclass(frozen=True, kw_only=True)
class MixedTick:
    """What the mixer made of one tick."""

    payloads: Mapping[LegId, bytes]  # Opus, for every listener
    sent_levels: Mapping[LegId, int]  # -dBov of it
    levels: Mapping[LegId, int]  # -dBov of everyone inside: of what they say; SILENCE if muted
    talkers: list[LegId]  # the legs that are mixed, loudest first
    encodes: int


def mix_minus(frames: Mapping[LegId, Samples]) -> tuple[Sum, dict[LegId, Sum]]:
    """The sum of all frames, and for each leg the sum without its own. Not limited yet."""
    if not frames:
        return _NO_SUM, {}
    total: Sum = np.sum(list(frames.values()), axis=0, dtype=np.int32)
    return total, {leg: total - frame for leg, frame in frames.items()}


def limited(total: Sum, cues: Sequence[Cue]) -> Samples:
    """A sum and the notices' sounds, limited once."""
    if cues:
        total = total + np.sum([piece(cue) for cue in cues], axis=0, dtype=np.int32)
    samples: Samples = np.clip(total, -32768, 32767).astype(np.int16)
    return samples


class AudioMixer:
    """One room's sound. `loudest`: how many legs are mixed at a time."""

    def __init__(self, loudest: int) -> None:
        self._loudest = Loudest(loudest)
        self._talkers: list[LegId] = []
        self._lingering: dict[LegId, int] = {}  # ticks for which a leg still has a stream of its own
        self._encoders: dict[_Stream, OpusEncoder] = {}
        self._live: frozenset[_Stream] = frozenset()  # what was encoded in the last tick
        self._recent: dict[LegId, deque[Samples]] = {}  # what each leg was sent last
        self._were_inside: frozenset[LegId] = frozenset()  # in the last tick

    def forget(self, leg: LegId) -> None:
        """The leg is gone for good. A leg of the same name, also in the next tick, begins anew."""
        self._end_stream(leg)
        for kept in (self._lingering, self._recent):
            kept.pop(leg, None)

    def _end_stream(self, leg: LegId) -> None:
        self._encoders.pop(leg, None)
        self._live -= {leg}

    def close(self) -> None:
        """End all encoders."""
        for kept in (self._encoders, self._lingering, self._recent):
            kept.clear()

    def mix(
        self,
        inputs: Mapping[LegId, AudioInput],
        inside: frozenset[LegId],
        muted: frozenset[LegId],
        cues: Mapping[LegId, Sequence[Cue]],
        listeners: Sequence[LegId],
    ) -> MixedTick:
        """Take a tick from every input, and make one for every listener."""
        frames, levels = self._hear(inputs, inside, muted)
        total, without = mix_minus(frames)
        self._linger(frames, inside)
        due = {leg: tuple(cues.get(leg, ())) for leg in listeners}
        streams = self._assign(due, inside)
        sounds: dict[_Stream, Samples] = {}
        for leg, stream in streams.items():
            if stream not in sounds:
                sounds[stream] = limited(without.get(leg, total) if leg in inside else _NO_SUM, due[leg])
        for leg in self._were_inside - inside:  # its encoder remembers the room
            self._end_stream(leg)
        self._were_inside = inside
        for leg in self._recent.keys() - inside:  # nothing of what it heard before it was lost is heard outside
            self._recent[leg].clear()
        payloads, encodes = self._encode(streams, sounds)
        loudness = {stream: level_of(sound) for stream, sound in sounds.items()}
        return MixedTick(
            payloads=payloads,
            sent_levels={leg: loudness[stream] for leg, stream in streams.items()},
            levels=levels,
            talkers=list(self._talkers),
            encodes=encodes,
        )

    # -- who is heard ------------------------------------------------------------------------------------------------

    def _hear(
        self, inputs: Mapping[LegId, AudioInput], inside: frozenset[LegId], muted: frozenset[LegId]
    ) -> tuple[dict[LegId, Samples], dict[LegId, int]]:
        open_legs = {leg: inputs[leg] for leg in inputs.keys() & inside if leg not in muted}
        levels = {leg: open_legs[leg].level() if leg in open_legs else SILENCE for leg in inputs.keys() & inside}
        before, self._talkers = self._talkers, list(self._loudest.pick({leg: levels[leg] for leg in open_legs}))
        fading = [leg for leg in before if leg in open_legs and leg not in self._talkers]
        frames: dict[LegId, Samples] = {}
        for leg, source in inputs.items():
            wanted = leg in self._talkers or leg in fading
            samples = source.pop(decode=leg in open_legs and (wanted or not source.says_its_level))
            if samples is not None and wanted:
                frames[leg] = samples if leg not in fading else (samples * _FALL).astype(np.int16)
        return frames, levels

    # -- what is sent ------------------------------------------------------------------------------------------------

    def _linger(self, talking: Iterable[LegId], inside: frozenset[LegId]) -> None:
        """A leg that falls silent keeps its own stream a little, until the room's has forgotten its voice."""
        left = {leg: ticks - 1 for leg, ticks in self._lingering.items() if ticks > 1 and leg in inside}
        self._lingering = left | dict.fromkeys(talking, _LINGER)

    def _assign(self, due: Mapping[LegId, _Cues], inside: frozenset[LegId]) -> dict[LegId, _Stream]:
        """Which stream each listener is sent. Two legs share one only if they hear the very same."""
        in_room = _commonest(cues for leg, cues in due.items() if leg in inside and leg not in self._lingering)
        at_door = _commonest(cues for leg, cues in due.items() if leg not in inside and cues)
        streams: dict[LegId, _Stream] = {}
        for leg, cues in due.items():
            if leg in inside:
                streams[leg] = Shared.ROOM if cues == in_room and leg not in self._lingering else leg
            elif not cues:
                streams[leg] = Shared.SILENT
            else:
                streams[leg] = Shared.DOOR if cues == at_door else leg
        return streams

    def _encode(
        self, streams: Mapping[LegId, _Stream], sounds: Mapping[_Stream, Samples]
    ) -> tuple[dict[LegId, bytes], int]:
        packets: dict[_Stream, bytes] = {Shared.SILENT: silence()}
        encodes = 0
        for leg, stream in streams.items():
            if stream not in packets:
                encodes += self._prime(stream, leg) + 1
                packets[stream] = self._encoders[stream].encode(sounds[stream])
            self._recent.setdefault(leg, deque(maxlen=_PRIMED_BY)).append(sounds[stream])
        self._live = frozenset(sounds)
        return {leg: packets[stream] for leg, stream in streams.items()}, encodes

    def _prime(self, stream: _Stream, leg: LegId) -> int:
        """Let an encoder that starts, or starts again, hear what `leg` heard last: the change makes no click."""
        if stream in self._live:
            return 0
        if stream not in self._encoders:
            self._encoders[stream] = OpusEncoder()
        recent = self._recent.get(leg, ())
        for sound in recent:
            self._encoders[stream].encode(sound)
        return len(recent)


def _commonest(due: Iterable[_Cues]) -> _Cues:
    counted = Counter(due).most_common(1)
    return counted[0][0] if counted else ()
