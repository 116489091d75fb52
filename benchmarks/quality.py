"""`python -m benchmarks quality`: how good the composed picture is at a rate, beside what encoding it costs.

The room's compositor paints what a room of nine moving cameras shows, the server's encoder encodes that at `--rate`,
and what comes out of a decoder is compared with what went into the encoder: PSNR and SSIM of the luma, by picture.
"""

import argparse
import time
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from benchmarks.cameras import CANVAS, FPS, composed
from benchmarks.progress import say
from benchmarks.reference import in_turn
from mcu.media.picture.encoder import PictureEncoder
from mcu.media.seams import VIDEO_CLOCK

Luma = npt.NDArray[np.float64]

SETTLE = 25  # pictures, in which the rate is found
BLOCK = 8  # samples on a side of the windows of SSIM
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # Wang et al. 2004


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--legs", type=int, default=9, help="cameras in the room")
    parser.add_argument("--rate", type=int, default=1_500_000, help="bit/s")
    parser.add_argument("--frames", type=int, default=100, help="pictures that are compared")


def run(options: argparse.Namespace) -> dict[str, Any]:
    say(f"{options.frames} pictures of {options.legs} cameras at {options.rate / 1e6:g} Mbit/s")
    frames = composed(options.legs)
    encoder, decoder = PictureEncoder("H264", *CANVAS, FPS, options.rate), av.CodecContext.create("h264", "r")
    decoder.options = {"flags": "low_delay"}
    ratios, likeness, size, seconds = [], [], 0, 0.0
    for number in range(SETTLE + options.frames):
        began = time.thread_time()
        picture = encoder.encode(in_turn(frames, number), number * VIDEO_CLOCK // FPS, key=number == 0)
        took = time.thread_time() - began
        assert picture is not None
        (out,) = decoder.decode(av.Packet(picture.data))
        if number >= SETTLE:
            assert isinstance(out, VideoFrame)
            before, after = luma(in_turn(frames, number)), luma(out)
            ratios.append(10 * np.log10(255**2 / max(float(np.mean((before - after) ** 2)), 1e-9)))
            likeness.append(ssim(before, after))
            size += len(picture.data)
            seconds += took / options.frames
    return {
        "legs": options.legs,
        "size": "{}x{}".format(*CANVAS),
        "mbit_per_s": round(8 * size * FPS / options.frames / 1e6, 2),
        "psnr_db": round(float(np.mean(ratios)), 2),
        "psnr_db_worst": round(min(ratios), 2),
        "ssim": round(float(np.mean(likeness)), 4),
        "encode_ms": round(1000 * seconds, 2),
        "encodes_per_core_s": round(1 / seconds, 1),
    }


def luma(frame: VideoFrame) -> Luma:
    """Shape (height, width)."""
    return np.asarray(frame.to_ndarray()[: frame.height], np.float64)


def ssim(one: Luma, other: Luma) -> float:
    """Structural similarity (Wang et al. 2004), over blocks of 8 by 8 samples: their mean."""
    first, second = _blocks(one), _blocks(other)
    means, others = first.mean(axis=1), second.mean(axis=1)
    variances, other_variances = first.var(axis=1), second.var(axis=1)
    covariances = (first * second).mean(axis=1) - means * others
    likeness = (2 * means * others + C1) * (2 * covariances + C2)
    return float(np.mean(likeness / ((means**2 + others**2 + C1) * (variances + other_variances + C2))))


def _blocks(picture: Luma) -> Luma:
    """Shape (blocks, BLOCK * BLOCK)."""
    height, width = (side // BLOCK for side in picture.shape)
    cut = picture[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width, BLOCK)
    return cut.swapaxes(1, 2).reshape(height * width, BLOCK * BLOCK)
