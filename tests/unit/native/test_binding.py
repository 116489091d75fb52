"""The binding refuses what a kernel may not be given, says why, and draws nothing."""

import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest
from twins import Picture

from mcu.media import _native

HUGE = 1 << 40


def i420(**changed: Any) -> _native.I420:
    arguments: dict[str, Any] = {
        "y": bytearray(8 * 6),
        "u": bytearray(4 * 3),
        "v": bytearray(4 * 3),
        "strides": (8, 4, 4),
        "width": 8,
        "height": 6,
    } | changed
    return _native.I420(**arguments)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"y": bytearray(8 * 6 - 1)}, "plane 0 is 47 bytes, but needs 48"),
        ({"v": bytearray(4 * 3 - 1)}, "plane 2 is 11 bytes, but needs 12"),
        ({"strides": (7, 4, 4)}, "stride of plane 0 is 7"),
        ({"strides": (8, 3, 4)}, "stride of plane 1 is 3"),
        ({"strides": (8, 4, -4)}, "stride of plane 2 is -4"),
        ({"width": 0}, "width is 0"),
        ({"height": 16385}, "height is 16385, but must be 1 to 16384"),
        ({"width": HUGE}, "far out of range"),
    ],
)
def test_a_picture_that_its_memory_cannot_hold_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        i420(**changed)


def test_the_last_row_needs_no_padding() -> None:
    assert i420(y=bytearray(20 * 5 + 8), strides=(20, 4, 4)).height == 6


def test_what_is_no_buffer_is_refused() -> None:
    with pytest.raises(TypeError):
        i420(y=3)


RECT = (0, 0, 4, 4)
GREY = (1, 2, 3)
FAR = (0, 0, 16385, 4)
CALLS: list[tuple[Callable[[_native.I420], object], str]] = [
    (lambda c: _native.fill(c, FAR, GREY), "rect: width is 16385"),
    (lambda c: _native.fill(c, (0, 0, -1, 4), GREY), "rect: width is -1"),
    (lambda c: _native.fill(c, (-16385, 0, 1, 4), GREY), "rect: x is -16385"),
    (lambda c: _native.fill(c, (0, HUGE, 1, 4), GREY), "far out of range"),
    (lambda c: _native.fill(c, RECT, (1, 256, 3)), "colour is 256"),
    (lambda c: _native.border(c, RECT, -1, GREY), "thickness is -1"),
    (lambda c: _native.border(c, FAR, 1, GREY), "rect: width"),
    (lambda c: _native.label(c, 0, 0, b"123", (2, 2), GREY, GREY, 9), "mask is 3 bytes, but 2 x 2 is 4"),
    (lambda c: _native.label(c, 0, 0, b"", (-1, 0), GREY, GREY, 9), "mask width is -1"),
    (lambda c: _native.label(c, 0, 20000, b"", (0, 0), GREY, GREY, 9), "y is 20000"),
    (lambda c: _native.label(c, 0, 0, b"", (0, 0), GREY, GREY, 256), "plate_alpha is 256"),
    (lambda c: _native.label(c, 0, 0, b"", (0, 0), GREY, (0, 0, -1), 255), "plate is -1"),
    (lambda c: _native.avatar(c, RECT, GREY, GREY, -1, b"", (0, 0), GREY), "radius is -1"),
    (lambda c: _native.avatar(c, RECT, GREY, GREY, 1, b"1", (0, 0), GREY), "mask is 1 bytes"),
    (lambda c: _native.avatar(c, FAR, GREY, GREY, 1, b"", (0, 0), GREY), "tile: width"),
    (lambda c: _native.avatar(c, RECT, GREY, (0, 999, 0), 1, b"", (0, 0), GREY), "disc is 999"),
    (lambda c: _native.copy(c, i420(), FAR, 0, 0), "rect: width"),
    (lambda c: _native.copy(c, i420(), RECT, 0, -20000), "y is -20000"),
    (lambda c: _native.copy(c, c, RECT, 2, 2), "must not overlap"),
    (lambda c: _native.scale_into_tile(c, c, RECT), "must not overlap"),
    (lambda c: _native.scale_into_tile(c, i420(), FAR), "tile: width"),
    (lambda c: _native.letterbox(0, 1, RECT), "width is 0"),
    (lambda c: _native.letterbox(1, 1, FAR), "tile: width"),
]


@pytest.mark.parametrize(("call", "reason"), CALLS, ids=[reason for _, reason in CALLS])
def test_a_value_out_of_range_is_named_and_nothing_is_drawn(
    call: Callable[[_native.I420], object], reason: str
) -> None:
    canvas = Picture.noise(8, 6)
    before = canvas.clone()
    with pytest.raises(ValueError, match=reason):
        call(canvas.native())
    assert canvas == before


def test_a_mask_in_the_canvass_own_memory_is_refused() -> None:
    memory = bytearray(48)
    with pytest.raises(ValueError, match="canvas and mask must not overlap"):
        _native.label(i420(y=memory), 0, 0, memoryview(memory)[8:12], (2, 2), GREY, GREY, 9)


def test_read_only_memory_is_a_source_and_no_canvas() -> None:
    source = i420(y=bytes(range(48)))
    canvas = Picture.noise(8, 6)
    _native.copy(canvas.native(), source, (0, 0, 8, 6), 0, 0)
    assert canvas.planes[0].tobytes() == bytes(range(48))
    assert not source.writable
    with pytest.raises(ValueError, match="read-only"):
        _native.fill(source, RECT, GREY)


def test_something_else_than_a_picture_is_refused() -> None:
    not_a_picture: Any = object()
    with pytest.raises(TypeError, match="must be an I420"):
        _native.fill(not_a_picture, RECT, GREY)


def test_a_picture_keeps_its_memory_and_lets_go_of_it() -> None:
    memory = bytearray(48)
    picture = i420(y=memory)
    with pytest.raises(BufferError):
        memory.append(0)
    del picture
    gc.collect()
    memory.append(0)


def test_a_refused_picture_lets_go_of_what_it_had() -> None:
    memory = bytearray(48)
    with pytest.raises(ValueError, match="plane 2"):
        i420(y=memory, v=b"")
    gc.collect()
    memory.append(0)


def test_planes_of_a_decoder_and_of_an_encoder_are_pictures() -> None:
    source, target = av.VideoFrame(62, 34, "yuv420p"), av.VideoFrame(62, 34, "yuv420p")

    def over(frame: av.VideoFrame) -> _native.I420:
        y, u, v = frame.planes
        return _native.I420(y, u, v, (y.line_size, u.line_size, v.line_size), frame.width, frame.height)

    _native.fill(over(source), (0, 0, 62, 34), (200, 90, 60))
    _native.copy(over(target), over(source), (0, 0, 62, 34), 0, 0)
    array = target.to_ndarray(format="yuv420p")
    assert (array[:34] == 200).all()
    assert set(np.unique(array[34:])) == {60, 90}


def test_other_threads_run_while_a_kernel_draws() -> None:
    canvas, source = Picture.noise(8000, 8000).native(), Picture.noise(7001, 7001).native()
    ticks: list[float] = []
    done = threading.Event()

    def draw() -> None:
        for _ in range(3):
            _native.scale_into_tile(canvas, source, (0, 0, 8000, 8000))
        done.set()

    thread = threading.Thread(target=draw)
    thread.start()
    while not done.is_set():
        ticks.append(time.monotonic())
        time.sleep(0.001)
    thread.join()
    # Held for the whole call, the lock would let this thread run only between the calls: three times or so.
    assert len(ticks) > 8
