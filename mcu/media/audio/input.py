"""What one leg says, a tick at a time: its jitter buffer, its decoder, and what bridges a gap.

A leg that is not heard in a tick is not decoded in it: only time passes. Nothing that a leg sends raises out of here.
"""

from collections import Counter

import numpy as np

from mcu.ids import LegId
from mcu.media.audio.jitter import Due, JitterBuffer, Step
from mcu.media.audio.level import SILENCE, level_of
from mcu.media.audio.opus import OpusDecoder, Undecodable
from mcu.media.seams import TICK_SAMPLES, AudioPacket, Samples

QUIET = 50  # -dBov: a tick this quiet can be left out, or doubled, without being missed
_FADES = 3  # ticks in which a bridged gap fades to silence
_JOIN = 240  # samples: 5 ms in which two pieces that do not belong together are joined
_RISE = np.linspace(0, 1, _JOIN, dtype=np.float32)
_ZEROS: Samples = np.zeros(6 * TICK_SAMPLES, np.int16)  # as long as the longest packet
_ZEROS.flags.writeable = False
_NOTHING = _ZEROS[:0]


class AudioInput:
    """One leg's sound, from its packets to a tick of samples."""

    def __init__(self, leg: LegId) -> None:
        self.leg = leg
        self._jitter = JitterBuffer()
        self._undecodable = 0
        self._decoder: OpusDecoder | None = None
        self._rest: Samples = _NOTHING  # decoded, and not played yet
        self._last: Samples = _ZEROS[:TICK_SAMPLES]  # the last tick that was not bridged
        self._joint: Samples | None = None  # what the next tick is to be joined to
        self._bridged = _FADES  # gaps bridged since the last sound
        self._heard = False  # whether the tick before this one was decoded
        self._level = SILENCE
        self._says_level = True

    @property
    def drops(self) -> Counter[str]:
        """Packets that were not played, by reason, since the leg began."""
        return self._jitter.drops + Counter(undecodable=self._undecodable)

    @property
    def depth(self) -> int:
        """How far what is played now lags behind the newest that came, in samples."""
        return self._jitter.depth() + self._rest.size

    def push(self, packet: AudioPacket) -> None:
        """A packet came. What cannot be used is counted in `drops`."""
        self._jitter.push(packet)

    def restart(self) -> None:
        """The leg has a new connection: another stream of packets begins."""
        self._jitter.restart()
        self._decoder = None
        self._forget_sound()

    def level(self) -> int:
        """-dBov of the tick that is due: as the leg says (RFC 6464), or as loud as its last decoded one was."""
        packet = self._jitter.peek()
        if self._rest.size >= TICK_SAMPLES:
            return self._level
        if packet is None:
            return SILENCE if self._bridged >= _FADES else self._level
        return packet.level if packet.level is not None else self._level

    @property
    def says_its_level(self) -> bool:
        """Whether its packets carry their level. If not, only decoding tells how loud it is."""
        return self._says_level

    def pop(self, decode: bool) -> Samples | None:
        """One tick. None: there is nothing to hear, or `decode` is False."""
        step = self._jitter.step(self._rest.size, quiet=self.level() >= QUIET)
        if step is Step.STRETCH:
            return self._bridge_tick() if decode else self._skip_tick()
        if step is Step.SHORTEN:
            skipped = self._take(decode)
            self._jitter.drops["shortened"] += 1
            self._joint = skipped if decode and self._joint is None else self._joint
        tick = self._take(decode)
        if not decode:
            return self._skip_tick()
        if tick is None:
            return None
        tick = self._joined(tick)
        self._level, self._heard = level_of(tick), True
        if not self._bridged:
            self._last = tick
        return tick

    # -- a tick ------------------------------------------------------------------------------------------------------

    def _take(self, decode: bool) -> Samples | None:
        """TICK_SAMPLES from what was decoded before and what is due. None: silence."""
        parts, have = [self._rest], int(self._rest.size)
        self._rest = _NOTHING
        while have < TICK_SAMPLES:
            due = self._jitter.due()
            part = self._bridge(TICK_SAMPLES - have) if due is None else self._sound(due, decode)
            parts.append(part)
            have += part.size
        sounding = [part for part in parts if part.size]
        whole = sounding[0] if len(sounding) == 1 else np.concatenate(sounding)
        tick, self._rest = whole[:TICK_SAMPLES], whole[TICK_SAMPLES:]
        return None if self._bridged > _FADES else tick

    def _sound(self, due: Due, decode: bool) -> Samples:
        if due.packet is None:
            return self._bridge(due.samples)
        self._says_level = due.packet.level is not None
        if due.packet.level is not None:
            self._level = due.packet.level
        if not decode:
            self._bridged = 0
            return _ZEROS[: due.samples]
        try:
            sound = self._decode(due.packet.payload)
        except Undecodable:
            self._undecodable += 1
            return self._bridge(due.samples)
        if self._bridged and self._joint is None:
            self._joint = self._faded(self._bridged + 1)
        self._bridged = 0
        return sound

    def _decode(self, payload: bytes) -> Samples:
        if self._decoder is None:
            self._decoder = OpusDecoder()
        return self._decoder.decode(payload)

    # -- gaps --------------------------------------------------------------------------------------------------------

    def _bridge(self, samples: int) -> Samples:
        """In place of what is missing: the last tick, back and forth, fading to silence in 60 ms."""
        self._bridged += 1
        if self._bridged > _FADES or not self._heard:
            return _ZEROS[:samples]
        return np.resize(self._faded(self._bridged), samples)

    def _bridge_tick(self) -> Samples | None:
        bridge = self._bridge(TICK_SAMPLES)
        if self._bridged > _FADES or not self._heard:
            return None
        return bridge

    def _faded(self, nth: int) -> Samples:
        """The nth tick that bridges: the last real one turned where it ended, so that it goes on without a step."""
        begin, end = (max(0.0, 1 - n / _FADES) for n in (nth - 1, nth))
        turned = self._last[::-1] if nth % 2 else self._last
        faded: Samples = (turned * np.linspace(begin, end, TICK_SAMPLES, dtype=np.float32)).astype(np.int16)
        return faded

    def _joined(self, tick: Samples) -> Samples:
        """Fade in after a gap, after a tick that was left out, or when the leg is heard again."""
        joint, self._joint = self._joint, None
        if joint is None and self._heard:
            return tick
        joined = tick.copy()
        before = joint[:_JOIN] if joint is not None else np.zeros(_JOIN, np.int16)
        joined[:_JOIN] = before * (1 - _RISE) + tick[:_JOIN] * _RISE
        return joined

    def _skip_tick(self) -> Samples | None:
        """Nobody hears this one: the next that is heard fades in."""
        self._heard, self._joint = False, None
        return None

    def _forget_sound(self) -> None:
        self._rest, self._last, self._joint = _NOTHING, _ZEROS[:TICK_SAMPLES], None
        self._bridged, self._heard = _FADES, False
        self._level, self._says_level = SILENCE, True
