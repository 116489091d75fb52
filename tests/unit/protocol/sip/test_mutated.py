"""Broken messages: nothing is raised, and none takes long. `scripts/mutate` does it a million times."""

import contextlib
import gc
import time
from collections.abc import Iterator

import pytest
from mutations import torment
from mutator import SLOWEST_S

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import read
from mcu.protocol.sip.uri import parse_uri
from mcu.protocol.sip.values import parse_address

MUCH = 28_000  # characters: as many as a message may have


@pytest.fixture
def small_heap() -> Iterator[None]:
    """To look through all that the tests before have left takes a collector longer than a message may."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("seed", [101, 102])
def test_broken_messages_in_the_middle_of_calls_raise_nothing_and_take_no_time(seed: int) -> None:
    survived = torment(1000, seed)
    assert survived.in_calls > 800


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (parse_address, "anna" + " " * MUCH + "x"),
        (parse_address, '"anna"' + " " * MUCH + "x"),
        (parse_uri, "tel:+" + "1" * MUCH + "x"),
        (parse_uri, "tel:" + "*" * MUCH + "x"),
        (lambda text: read(text.encode()), "OPTIONS sip:a SIP/2.0\r\nSubject: a" + " " * MUCH + "b\r\n\r\n"),
    ],
    ids=["name", "quoted", "global number", "local number", "blanks"],
)
def test_what_takes_time_grows_with_the_length_of_a_message_and_not_with_its_square(what, text: str) -> None:  # type: ignore[no-untyped-def]
    began = time.thread_time()
    with contextlib.suppress(Malformed):
        what(text)
    assert time.thread_time() - began < SLOWEST_S / 2
