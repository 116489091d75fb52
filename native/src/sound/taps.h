/* The filters of resample.c and drift.c. tests/unit/native/test_resample.py
 * measures what they promise.
 *
 * Up and down by 3 and 6: scipy.signal.remez(32 * factor, [0, 0.45, 0.55, factor / 2], [1, 0],
 * weight=[1, 6], fs=factor), times 16384 * factor; each phase sums to 16384, so that a
 * constant stays one. A row is a phase, its oldest sample first.
 *
 * Drift: row i reads at i / MCU_DRIFT_PHASES of the way from sample 3 of 8 to sample 4. The
 * least-squares interpolator of what lies below 12 kHz: with k = -3 … 4 and f = i / 64 it
 * solves sinc((k - l) / 2) c = sinc((k - f) / 2), and sums to 1. */
#ifndef MCU_SOUND_TAPS_H
#define MCU_SOUND_TAPS_H

#include <mcu/resample.h>

#define MCU_DRIFT_TAPS 8
#define MCU_DRIFT_PHASES 64

extern const int16_t mcu_taps_3[3][MCU_RESAMPLE_TAPS];
extern const int16_t mcu_taps_6[6][MCU_RESAMPLE_TAPS];
extern const float mcu_drift_taps[MCU_DRIFT_PHASES + 1][MCU_DRIFT_TAPS];

#endif
