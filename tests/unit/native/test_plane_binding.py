"""The class Plane refuses what is wrong and changes nothing, says what happened, and closes under those who call."""

import gc
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rights import need_root

from mcu.media import _native
from mcu.media._native import Plane
from mcu.media.seams import Traffic

HUGE = 1 << 80
PORTS = (45000, 45999)
OPUS = [(111, "opus", 0)]
VP8 = [(96, "VP8", 97)]
GCM_KEY = bytes(28)
ROW = np.zeros((1, 960), np.int16)


@pytest.fixture
def plane() -> Iterator[Plane]:
    plane = Plane(["127.0.0.1"], ports=PORTS)
    yield plane
    plane.close()


def wait_for(plane: Plane, kind: int) -> _native.Event:
    for _ in range(100):
        select.select([plane.fileno()], [], [], 0.1)
        for event in plane.events():
            if event.kind == kind:
                return event
    raise AssertionError(f"no event of kind {kind}")


def counted(plane: Plane) -> tuple[int, int]:
    stats = plane.stats()
    return stats["legs"], stats["rooms"]


# -- its threads ----------------------------------------------------------------------------------------------------

SAYS_HOW_IT_RUNS = """
import os, pathlib
from mcu.media._native import Plane
plane = Plane(["127.0.0.1"])
names = {(task / "comm").read_text().strip(): int(task.name) for task in pathlib.Path("/proc/self/task").iterdir()}
print([os.sched_getscheduler(names[name]) == os.SCHED_RR for name in ("mcu-sound", "mcu-packets")])
plane.close()
"""


def how_it_runs(*without: str) -> str:
    done = subprocess.run(
        [*without, sys.executable, "-c", SAYS_HOW_IT_RUNS], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_sound_runs_in_real_time_and_packets_do_not() -> None:
    need_root("real time")
    assert how_it_runs() == "[True, False]"


def test_where_real_time_is_not_allowed_sound_runs_without_it() -> None:
    without = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"] if os.geteuid() == 0 else []
    assert how_it_runs(*without) == "[False, False]"


# -- making one -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"addresses": []}, "needs an address"),
        ({"addresses": ["localhost"]}, "'localhost' is no IP address"),
        ({"addresses": ["0.0.0.0"]}, "wildcard"),
        ({"addresses": ["::"]}, "wildcard"),
        ({"port": 65536}, "port is 65536, but must be 0 to 65535"),
        ({"port": HUGE}, "far out of range"),
        ({"ports": (2000, 1000)}, "ports must be"),
        ({"ports": (0, 1000)}, "ports must be"),
        ({"complexity": 11}, "complexity is 11"),
        ({"bits_per_second": 0}, "bits_per_second is 0"),
        ({"loss_percent": -1}, "loss_percent is -1"),
    ],
)
def test_a_plane_that_cannot_be_is_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Plane(**({"addresses": ["127.0.0.1"]} | arguments))


def test_an_address_or_a_port_that_cannot_be_had_is_an_os_error() -> None:
    with pytest.raises(OSError, match="assign"):
        Plane(["203.0.113.1"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            Plane(["127.0.0.1"], port=taken.getsockname()[1])


def test_one_port_serves_both_families() -> None:
    plane = Plane(["127.0.0.1", "::1"])
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as other, pytest.raises(OSError, match="in use"):
            other.bind((address, plane.port))
    plane.close()


# -- what is refused ------------------------------------------------------------------------------------------------


def add_stream(plane: Plane, **changed: Any) -> None:
    arguments: dict[str, Any] = {"leg": 1, "source": _native.AUDIO, "formats": OPUS} | changed
    plane.add_stream(arguments.pop("leg"), arguments.pop("source"), **arguments)


WRONG: list[tuple[Callable[[Plane], object], str]] = [
    (lambda p: p.add_room(0), "refuses"),
    (lambda p: p.add_room(HUGE), "far out of range"),
    (lambda p: p.remove(HUGE), "far out of range"),
    (lambda p: p.set_remote(1, "example.org", 5004), "is no IP address"),
    (lambda p: p.set_remote(1, "127.0.0.1", 0), "port is 0"),
    (lambda p: p.set_remote(1, "127.0.0.1", 5004, 65536), "rtcp_port is 65536"),
    (lambda p: p.set_keys(1, "NULL", GCM_KEY, GCM_KEY), "profile 'NULL' is not known"),
    (lambda p: p.set_keys(1, "AEAD_AES_128_GCM", GCM_KEY, GCM_KEY[1:]), "receiving is 27 bytes, but .* needs 28"),
    (lambda p: p.set_keys(1, "AEAD_AES_256_GCM", GCM_KEY, GCM_KEY), "sending is 28 bytes, but .* needs 44"),
    (lambda p: add_stream(p, source=3), "source is 3"),
    (lambda p: add_stream(p, formats=[]), "formats has 0 items"),
    (lambda p: add_stream(p, formats=OPUS * 9), "formats has 9 items"),
    (lambda p: add_stream(p, formats=[(128, "opus", 0)]), "payload type is 128"),
    (lambda p: add_stream(p, formats=[(96, "opus", -1)]), "RTX payload type is -1"),
    (lambda p: add_stream(p, formats=[(96, "VP8", 0)]), "codec 'VP8' is not known"),
    (lambda p: add_stream(p, formats=[(96, "VP8/90000/1", 0)]), "codec 'VP8/900' is not known"),
    (lambda p: add_stream(p, formats=[(96, "opus", 0)], source=_native.CAMERA), "codec 'opus' is not known"),
    (lambda p: add_stream(p, mid="m" * 17), "mid is 17 bytes"),
    (lambda p: add_stream(p, cname="c" * 64), "cname is 64 bytes"),
    (lambda p: add_stream(p, dtmf=128), "dtmf is 128"),
    (lambda p: add_stream(p, ssrcs=[1 << 32]), "ssrc is 4294967296"),
    (lambda p: add_stream(p, ssrcs=[1, 2, 3, 4, 5]), "ssrcs has 5 items"),
    (lambda p: add_stream(p, ssrc=-1), "ssrc is -1"),
    (lambda p: add_stream(p, extensions={"colour": 1}), "extension 'colour' is not known"),
    (lambda p: add_stream(p, extensions={"mid": 0}), "extension id is 0"),
    (lambda p: add_stream(p, pixels_max=0), "pixels_max is 0"),
    (lambda p: add_stream(p, source=_native.CAMERA, formats=VP8, rids="abcd"), "rids has 4 items"),
    (lambda p: add_stream(p, source=_native.CAMERA, formats=VP8, rids=["r" * 17]), "a rid is 17 bytes"),
    (lambda p: p.send_picture([], 1, "AV1", b"", 0, False), "codec 'AV1' is not known"),
    (lambda p: p.send_picture([], _native.AUDIO, "VP8", b"", 0, False), "source is 0"),
    (lambda p: p.send_picture([HUGE], 1, "VP8", b"", 0, False), "far out of range"),
    (lambda p: p.want_key(1, -1), "source is -1"),
    (lambda p: p.choose(1, 3, 0), "source is 3"),
    (lambda p: p.limit(1, -1), "bits_per_second is -1"),
    (lambda p: p.send(1, [1], ROW.astype(np.int32).data, []), "must be int16"),
    (lambda p: p.send(1, [1], bytes(1920), []), "must be int16"),
    (lambda p: p.send(1, [1, 2], ROW.data, []), "samples are 1920 bytes, but 2 sounds need 3840"),
    (lambda p: p.send(1, [1], ROW.data, [(HUGE, 1)]), "far out of range"),
    (lambda p: p.send(1, [1], ROW.data, [(1, -2)]), "a handle is -2"),
    (lambda p: p.collect(HUGE, 0), "far out of range"),
    (lambda p: p.add_webrtc("u" * 300, "p" * 22, "r" * 4), "refuses"),
]


@pytest.mark.parametrize(("call", "reason"), WRONG, ids=[f"{at}: {reason}" for at, (_, reason) in enumerate(WRONG)])
def test_a_wrong_value_is_named_and_nothing_changes(plane: Plane, call: Callable[[Plane], object], reason: str) -> None:
    before = counted(plane)
    with pytest.raises(ValueError, match=reason):
        call(plane)
    assert counted(plane) == before


TYPES: list[Callable[[Any], object]] = [
    lambda p: p.add_room("three"),
    lambda p: p.add_stream(1, 0),
    lambda p: p.add_stream(1, 0, formats=[111]),
    lambda p: p.add_stream(1, 0, formats=OPUS, extensions=[1]),
    lambda p: p.send(1, [1], ROW.data, [7]),
    lambda p: p.send(1, 7, ROW.data, []),
    lambda p: p.send(1, [1], "samples", []),
    lambda p: p.send_dtls(1, "text"),
    lambda p: p.set_keys(1, "AEAD_AES_128_GCM", "key", GCM_KEY),
    lambda p: Plane("127.0.0.1", 0),  # type: ignore[call-arg]
    lambda p: Plane([3]),  # type: ignore[list-item]
]


@pytest.mark.parametrize("call", TYPES)
def test_another_type_is_a_type_error(plane: Plane, call: Callable[[Any], object]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        call(plane)


def test_samples_that_are_not_in_one_piece_are_refused(plane: Plane) -> None:
    with pytest.raises((BufferError, ValueError)):
        plane.send(1, [1], np.zeros((1, 1920), np.int16)[:, ::2].data, [])


GONE: list[Callable[[Plane, int], object]] = [
    lambda p, leg: p.remove(leg),
    lambda p, leg: p.restart_ice(leg, "ufrg", "p" * 22, "rfrg"),
    lambda p, leg: p.set_remote(leg, "127.0.0.1", 5004),
    lambda p, leg: p.set_keys(leg, "AEAD_AES_128_GCM", GCM_KEY, GCM_KEY),
    lambda p, leg: p.add_stream(leg, _native.AUDIO, formats=OPUS),
    lambda p, leg: p.send_dtls(leg, b"datagram"),
    lambda p, leg: p.answer_greeting(leg, False, 1, b"datagram"),
    lambda p, leg: p.believe(leg, False, 1),
    lambda p, leg: p.want_key(leg, _native.CAMERA),
    lambda p, leg: p.choose(leg, _native.CAMERA, 0),
    lambda p, leg: p.limit(leg, 0),
    lambda p, leg: p.hear(leg, 0),
    lambda p, leg: p.sent_sequence(leg),
    lambda p, leg: p.leg_stats(leg),
    lambda p, leg: p.leg_traffic(leg),
    lambda p, leg: p.remove_room(leg),
    lambda p, leg: p.remove_sound(leg),
]


@pytest.mark.parametrize("call", GONE)
def test_a_handle_that_is_gone_is_a_lookup_error(plane: Plane, call: Callable[[Plane, int], object]) -> None:
    leg, _, _ = plane.add_rtp()
    plane.remove(leg)
    for handle in (leg, 0, -1, 2**31 - 1):
        with pytest.raises(LookupError):
            call(plane, handle)


def test_what_is_added_twice_is_refused(plane: Plane) -> None:
    leg, _, _ = plane.add_rtp()
    plane.add_stream(leg, _native.AUDIO, formats=OPUS)
    with pytest.raises(ValueError, match="there is one already"):
        plane.add_stream(leg, _native.AUDIO, formats=OPUS)
    assert len(plane.leg_stats(leg)["streams"]) == 2  # one each way


def test_legs_without_a_range_of_ports_are_an_os_error() -> None:
    plane = Plane(["127.0.0.1"])
    with pytest.raises(OSError):  # noqa: PT011  # which number it is, is the system's
        plane.add_rtp()
    plane.close()


# -- what happens ---------------------------------------------------------------------------------------------------


def test_a_collected_tick_is_an_event_and_its_samples_have_rows(plane: Plane) -> None:
    plane.collect(7, 0)
    event = wait_for(plane, _native.COLLECTED)
    assert event == _native.Event(_native.COLLECTED, 0, 7, event.b, 0, 0, 0, False, b"")
    assert 0 <= time.monotonic() - event.b / 1e6 < 1
    talkers, samples = plane.talkers()
    assert talkers == []
    assert samples.readonly
    assert np.asarray(samples).shape == (0, 960)
    assert plane.events() == []


def test_a_tick_is_not_collected_before_its_time_whatever_is_asked_meanwhile(plane: Plane) -> None:
    at = int((time.monotonic() + 0.05) * 1e6)
    plane.collect(1, at)
    plane.remove_sound(plane.add_sound(True))  # the thread that waits wakes up for it
    event = wait_for(plane, _native.COLLECTED)
    assert at <= event.b < at + 1_000_000


def test_a_talker_comes_out_and_goes_to_who_listens(plane: Plane) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(2)
        leg, port, rtcp_port = plane.add_rtp()
        assert rtcp_port == port + 1
        plane.add_stream(leg, _native.AUDIO, formats=[(0, "PCMU", 0)])
        plane.set_remote(leg, "127.0.0.1", phone.getsockname()[1])
        room, sound = plane.add_room(3), plane.add_sound(True)
        plane.hear(leg, room)
        square = np.tile(np.repeat(np.array([0x00, 0x80], np.uint8), 10), 8).tobytes()  # loud, in u-law
        for tick in range(20):
            header = bytes([0x80, 0, 0, tick]) + (tick * 160).to_bytes(4, "big") + b"SSRC"
            phone.sendto(header + square, ("127.0.0.1", port))
            time.sleep(0.02)
            plane.collect(tick, 0)
            wait_for(plane, _native.COLLECTED)
        talkers, samples = plane.talkers()
        rows = np.asarray(samples)
        assert [(talker.room, talker.leg) for talker in talkers] == [(room, leg)]
        assert talkers[0].level < 20
        assert rows.shape == (1, 960)
        assert np.abs(rows.astype(int)).max() > 10_000
        assert plane.sent_sequence(leg) == -1
        plane.send(20, [sound], rows.data, [(leg, sound)])
        packet = phone.recv(2000)
        assert len(packet) == 12 + 160
        assert plane.sent_sequence(leg) & 0xFFFF == int.from_bytes(packet[2:4], "big")
        assert plane.leg_stats(leg)["streams"][0]["packets"] == 20
        nothing_made_up = Traffic(20, 0, 20, 0, sent=1, unreceived=0, rtt_ms=-1.0, bits_per_second=0, silent=False)
        assert Traffic(*plane.leg_traffic(leg)) == nothing_made_up
        assert plane.stats()["audio_encodes"] == 1


def test_a_sound_thread_that_is_behind_is_an_overflow_error(plane: Plane) -> None:
    refused = 0
    for tick in range(200):
        try:
            plane.send(tick, [0] * 1000, np.zeros((1000, 960), np.int16).data, [])
        except OverflowError:
            refused += 1
    assert plane.stats()["drops"]["tick"] == refused


# -- closing --------------------------------------------------------------------------------------------------------


def test_a_closed_plane_refuses_every_call() -> None:
    plane = Plane(["127.0.0.1"])
    plane.close()
    plane.close()
    calls: list[Callable[[], object]] = [
        plane.fileno,
        plane.events,
        plane.talkers,
        plane.stats,
        lambda: plane.port,
        lambda: plane.collect(1, 0),
        lambda: plane.add_room(1),
        lambda: plane.skip(1),
        lambda: plane.send(1, [], np.zeros((0, 960), np.int16).data, []),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="closed"):
            call()


def test_it_closes_while_others_call() -> None:
    for _ in range(5):
        plane = Plane(["127.0.0.1"], ports=PORTS)
        begun = threading.Barrier(4)

        def call(plane: Plane = plane, begun: threading.Barrier = begun) -> None:
            def come_and_go() -> None:
                while True:
                    plane.stats()
                    plane.events()
                    plane.remove(plane.add_rtp()[0])
                    plane.remove_sound(plane.add_sound(True))

            begun.wait()
            with pytest.raises(ValueError, match="closed"):
                come_and_go()

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        begun.wait()
        time.sleep(0.05)
        plane.close()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


def test_a_plane_that_nobody_holds_lets_go_of_its_port() -> None:
    plane = Plane(["127.0.0.1"])
    port = plane.port
    del plane
    gc.collect()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_legs_that_come_and_go_leave_no_memory_behind(plane: Plane) -> None:
    def come_and_go(legs: int) -> None:
        for _ in range(legs):
            leg = plane.add_webrtc("ufrg", "p" * 24, "rfrg")
            plane.add_stream(leg, _native.AUDIO, formats=OPUS, extensions={"level": 1}, mid="0")
            plane.add_stream(leg, _native.CAMERA, formats=[(96, "VP8", 97)], mid="1", nack=True)
            room, sound = plane.add_room(3), plane.add_sound(True)
            plane.hear(leg, room)
            plane.set_keys(leg, "AEAD_AES_128_GCM", GCM_KEY, GCM_KEY)
            plane.leg_stats(leg)
            plane.remove(leg)
            plane.remove_sound(sound)
            plane.remove_room(room)
            plane.events()
        plane.collect(1, 0)
        wait_for(plane, _native.COLLECTED)

    come_and_go(300)
    before = resident()
    come_and_go(2000)
    assert resident() - before < 2_000_000
    assert counted(plane) == (0, 0)


def test_the_stub_says_what_the_module_has() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "mcu.media._native", "--concise"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (said.returncode, said.stdout) == (0, "")
