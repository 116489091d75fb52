"""Moving, named pictures made by code: a calm background, a head that sways, a name, and a bar that shows time pass.

A loop is drawn and encoded once; a participant then only sends the packets, so that many cost little.
"""

import math
from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType
from PIL import Image, ImageDraw

from mcu.media.picture.masks import font

WIDTH, HEIGHT, FPS = 640, 360, 15
LOOP_S = 2
BIT_RATE = 400_000  # bit/s
SKINS = ((236, 196, 168), (198, 145, 110), (120, 82, 60))


def draw(name: str, colour: tuple[int, int, int], number: int) -> Image.Image:
    """Frame `number` of the loop: an RGB image of WIDTH x HEIGHT."""
    turn = 2 * math.pi * number / (FPS * LOOP_S)
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    pen = ImageDraw.Draw(image)
    middle = WIDTH / 2 + 40 * math.sin(turn)
    darker = tuple(int(part * 0.55) for part in colour)
    pen.ellipse((middle - 130, 235, middle + 130, 500), fill=darker)
    pen.ellipse((middle - 68, 70, middle + 68, 250), fill=SKINS[len(name) % len(SKINS)])
    for side in (-26, 26):
        pen.ellipse((middle + side - 7, 145, middle + side + 7, 159), fill=(40, 40, 48))
    mouth = 6 + 10 * abs(math.sin(3 * turn))
    pen.ellipse((middle - 24, 205 - mouth / 2, middle + 24, 205 + mouth / 2), fill=(130, 50, 60))
    pen.text((24, 20), name, fill=(255, 255, 255), font=font(30))
    pen.rectangle((0, HEIGHT - 8, WIDTH * number / (FPS * LOOP_S), HEIGHT), fill=(255, 255, 255))
    return image


def encoded_loop(name: str, colour: tuple[int, int, int]) -> list[bytes]:
    """One loop as H.264 constrained baseline access units (Annex B), the first a key frame; FPS frames a second."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.framerate, encoder.time_base = BIT_RATE, Fraction(FPS), Fraction(1, FPS)
    encoder.thread_count = 1
    encoder.options = {"profile": "baseline", "preset": "superfast", "tune": "zerolatency", "level": "31"}
    units = []
    for number in range(FPS * LOOP_S):
        frame = av.VideoFrame.from_ndarray(np.asarray(draw(name, colour, number)), format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        frame.pict_type = PictureType.I if number == 0 else PictureType.NONE
        units += [bytes(packet) for packet in encoder.encode(frame)]
    return units
