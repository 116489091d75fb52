"""What the reception says: WAV files by language and name, of any rate, read once and kept at 48 kHz.

To read one of a quarter of a minute takes 70 ms: `read` does that beside the event loop.

The directory has one folder for each language. An operator's own recordings go before those that the build made, and an
organisation's before both. What is missing or of no use is told at the start (`check`), not by silence in a call.
"""

import asyncio
import wave
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from mcu.errors import McuError, NotFound
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples

BUILT: Final = Path(__file__).with_name("spoken")
BYTES: Final = 2  # of a sample
KEPT: Final = 32  # sentences, of 1 MB or so each: most callers are told the same
_PAUSE: Final = np.zeros(TICK_SAMPLES * 10, np.int16)  # between two


class PromptsUnusable(McuError):
    """A recording is missing or cannot be played. `detail` says which, and what to do."""

    code, title = "prompts-unusable", "The recordings cannot be used"


def check(folders: Iterable[Path]) -> None:
    """Whether everything can be said, and with these recordings. Raises `PromptsUnusable`."""
    for folder in folders:
        if not folder.is_dir():
            raise PromptsUnusable(f"{folder} is no folder of recordings: make it, or set prompts to another")
        for path in sorted(folder.glob("*/*.wav")):
            _opened(path).close()
    for language in (file.stem for file in BUILT.glob("*.txt")):
        for name in texts(language):
            path = BUILT / language / f"{name}.wav"
            if not path.is_file():
                raise PromptsUnusable(f"{path} is missing: run scripts/prompts")


def texts(language: str) -> dict[str, str]:
    """What is spoken, by name. Behind it may stand the voice that speaks it, where that is another language's."""
    lines = (BUILT / f"{language}.txt").read_text("utf-8").splitlines()
    return {name: text for name, text, *_ in (line.split("|") for line in lines if line)}


class Prompts:
    """Those of one worker. `directories`: the first that has a prompt counts; `voices`: go before them, by name."""

    def __init__(self, directories: Iterable[Path], voices: Mapping[str, Path] = MappingProxyType({})) -> None:
        self._directories, self._voices = tuple(directories), voices
        self._kept: dict[Path, Samples] = {}
        self._sentence = lru_cache(maxsize=KEPT)(self._joined)

    def samples(self, names: Sequence[str], language: str, voice: str = "") -> Samples:
        """One after the other: 1-D, int16 at 48 kHz, whole ticks. Shared, and not to be written. Raises `NotFound`."""
        return self._sentence(tuple(names), language, voice)

    async def read(self, names: Sequence[str], language: str, voice: str = "") -> None:
        """From now on `samples` has nothing to read for these. Raises `NotFound`."""
        paths = {self._path(name, language, voice) for name in names} - self._kept.keys()
        if paths:
            self._kept |= await asyncio.to_thread(lambda: {path: _read(path) for path in paths})

    def _joined(self, names: tuple[str, ...], language: str, voice: str) -> Samples:
        pieces = [piece for name in names for piece in (self._one(name, language, voice), _PAUSE)]
        whole = np.concatenate(pieces) if pieces else _PAUSE[:0]
        made = np.concatenate([whole, np.zeros(-len(whole) % TICK_SAMPLES, np.int16)])
        made.flags.writeable = False
        return made

    def _one(self, name: str, language: str, voice: str) -> Samples:
        path = self._path(name, language, voice)
        if path not in self._kept:
            self._kept[path] = _read(path)
        return self._kept[path]

    def _path(self, name: str, language: str, voice: str) -> Path:
        own = [self._voices[voice]] if voice in self._voices else []
        for directory in (*own, *self._directories):
            path = directory / language / f"{name}.wav"
            if path.is_file():
                return path
        raise NotFound(f"There is no prompt {name} in {language}: run scripts/prompts.")


def _opened(path: Path) -> wave.Wave_read:
    try:
        file: wave.Wave_read = wave.open(str(path))  # noqa: SIM115 - whoever asked closes it
    except (wave.Error, EOFError, OSError) as error:
        raise PromptsUnusable(f"{path} is no WAV file of 16-bit PCM: convert it (sox, ffmpeg), or remove it") from error
    if file.getsampwidth() != BYTES:
        file.close()
        raise PromptsUnusable(
            f"{path} has {8 * file.getsampwidth()} bits a sample and not 16: convert it, or remove it"
        )
    return file


def _read(path: Path) -> Samples:
    with _opened(path) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)[::channels]
    if rate == SAMPLE_RATE:
        return samples
    at = np.arange(int(len(samples) * SAMPLE_RATE / rate)) * rate / SAMPLE_RATE
    resampled: Samples = np.interp(at, np.arange(len(samples)), samples).astype(np.int16)
    return resampled
