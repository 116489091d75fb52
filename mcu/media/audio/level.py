"""How loud a frame is, as RFC 6464 says it: -dBov, 0 (a full-scale square wave) to 127 (silence)."""

import math

import numpy as np

from mcu.media.seams import Samples

SILENCE = 127


def level_of(samples: Samples) -> int:
    """The level of one frame, in -dBov (RFC 6464 section 3): 0 … 127."""
    floats = samples.astype(np.float32)
    energy = float(np.dot(floats, floats))
    if energy <= 0:
        return SILENCE
    dbov = 10 * math.log10(energy / (samples.size * 32768.0**2))
    return min(max(round(-dbov), 0), SILENCE)
