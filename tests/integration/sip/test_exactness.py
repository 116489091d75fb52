"""Two telephones in a meeting and nobody else: what each says and shows, against what comes to the other."""

from collections.abc import Iterator

import numpy as np
import pytest
from av.video.frame import VideoFrame
from dialled import uri
from endpoints import settings
from hall import hall, until
from pictures import BLUE, RED, Colour, frame_of, planes
from python_phone import HEIGHT, RATE, WIDTH, PythonPhone, python_phone
from running_server import RunningServer, running_server
from sound import quiet, record

from mcu.media.seams import Samples

SILENT = 16  # of 32768: mu-law's least step is 8
ALIKE = 0.8  # of 1; it is 0.99, and less by each sample that a late packet has moved
LEVEL_DB = 1.0
DELAY_S = 0.5  # it is 0.2, with what each of the processes here waits for its turn
TIMES = 5  # that a sound is said at most: a busy machine may tear one
COLOUR_WITHIN = 6  # of 256, of each dot


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    place = tmp_path_factory.mktemp("exact")
    for name in ("entered", "one-joined"):
        record(place / f"prompts/sv/{name}.wav", quiet(5))  # soon over
    picture = {"media__width": str(WIDTH), "media__height": str(HEIGHT), "media__fps": "10"}
    words = {"sip__prompts": str(place / "prompts")}
    with running_server(place, media__workers="1", **picture, **words, **settings(place)) as started:
        yield started


def chirp(begin: float, end: float, seconds: float = 0.5) -> Samples:
    """From one frequency (Hz) to another: its parts in another order are not alike."""
    at = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * (begin * at + (end - begin) * at**2 / (2 * seconds))
    return np.round(8000 * np.sin(phase)).astype(np.int16)


def found(heard: Samples, said: Samples) -> tuple[int, float]:
    """Where it is, and how alike that is, 0 … 1: the envelope of their correlation, for they differ by part samples."""
    size = heard.size + said.size
    spectrum = np.fft.fft(heard, size) * np.conj(np.fft.fft(said, size))
    spectrum[size // 2 :] = 0
    alike = np.abs(2 * np.fft.ifft(spectrum))[: heard.size - said.size]
    at = int(np.argmax(alike))
    there = heard[at : at + said.size].astype(np.float64)
    return at, float(alike[at] / max(np.linalg.norm(there) * np.linalg.norm(said.astype(np.float64)), 1.0))


def decibels(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def still(*phones: PythonPhone) -> bool:
    """Whether nothing has come to them for a second."""
    lately = [phone.heard()[-RATE:] for phone in phones]
    return all(heard.size == RATE and np.abs(heard).max() <= SILENT for heard in lately)


async def comes_exactly(speaker: PythonPhone, listener: PythonPhone, said: Samples) -> None:
    for _ in range(TIMES):
        if await comes_whole(speaker, listener, said):
            return
    pytest.fail("it never came whole")


async def comes_whole(speaker: PythonPhone, listener: PythonPhone, said: Samples) -> bool:
    """If it does, it is as loud and soon there; and in any case nothing of it comes back."""
    before, own = listener.heard().size, speaker.heard().size
    speaker.say(said)
    await until(lambda: listener.heard().size > before + said.size + 2 * DELAY_S * RATE)
    heard = listener.heard()[before:]
    at, alike = found(heard, said)
    assert np.abs(speaker.heard()[own:]).max() <= SILENT
    if alike < ALIKE:
        return False
    assert abs(decibels(heard[at : at + said.size]) - decibels(said)) < LEVEL_DB
    assert at / RATE < DELAY_S
    return True


def shows_halves(seen: VideoFrame | None, left: Colour, right: Colour) -> bool:
    """In each half, midway down, one colour in every dot: but at its edges, and below, where a name is."""
    if seen is None or (seen.width, seen.height) != (WIDTH, HEIGHT):
        return False
    for plane, *colours in zip(planes(seen), left, right, strict=True):
        high, wide = plane.shape
        for half, colour in zip(np.split(plane, 2, axis=1), colours, strict=True):
            inside = half[high // 4 + high // 32 : high * 5 // 8, wide // 32 : -wide // 32].astype(int)
            if np.abs(inside - colour).max() > COLOUR_WITHIN:
                return False
    return True


async def test_each_of_two_sees_both_in_their_places_and_hears_the_other_as_loud_soon_and_never_itself(
    server: RunningServer,
) -> None:
    async with hall(server) as here:
        number = uri(server, here.number)
        with python_phone(number, pictures=True) as anna:
            anna.show(frame_of(RED, WIDTH, HEIGHT))
            await until(lambda: anna.seen() is not None)  # who comes first is to the left
            with python_phone(number, pictures=True) as bo:
                bo.show(frame_of(BLUE, WIDTH, HEIGHT))
                await until(lambda: all(shows_halves(phone.seen(), RED, BLUE) for phone in (anna, bo)))
                await until(lambda: still(anna, bo))
                await comes_exactly(anna, bo, chirp(500, 3000))
                await comes_exactly(bo, anna, chirp(3000, 500))
