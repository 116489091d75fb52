/* What one leg says, a tick at a time: jitter buffer, decoder, concealment, time stretching
 * and drift correction.
 *
 * Packets are put in as they come, in any order; each tick takes 960 samples at 48 kHz. The
 * stream's time never stops: what is not there when it is due is recovered from the next
 * packet (FEC), concealed for 120 ms at most, or silence, and leaves no delay behind. The
 * delay is what 99 % of the packets of the last 8 s needed, and the tick that asks for a whole
 * packet at once: 22.5 ms on a clean network, 40 in the first second, 200 at most; and a
 * packet more while so much is lost that waiting for FEC pays. It changes in silence where it
 * can, by pitch periods where it must, and drift is corrected by resampling. Not thread-safe.
 */
#ifndef MCU_HEARING_H
#define MCU_HEARING_H

#include <mcu/codec.h>

#define MCU_HEARING_PACKETS 64 /* held at most */
#define MCU_HEARING_DEEPEST_MS 400

enum mcu_hearing_drop {
    MCU_HEARING_LATE,
    MCU_HEARING_DUPLICATE,
    MCU_HEARING_MALFORMED, /* no payload of this codec, or the decoder refuses it */
    MCU_HEARING_OVERFLOW,
    MCU_HEARING_DROPS
};

struct mcu_hearing_stats {
    uint64_t drops[MCU_HEARING_DROPS];
    uint64_t concealed;         /* samples made up: neither received nor FEC */
    uint64_t recovered;         /* samples from in-band FEC */
    uint64_t stretched, shrunk; /* samples put in, taken out */
    uint32_t delay;   /* samples from when the fastest packets come until they are played */
    uint32_t target;  /* what it is to be */
    double drift_ppm; /* by which the sender's clock is faster than ours */
};

struct mcu_hearing;
struct mcu_hearing *mcu_hearing_new(enum mcu_audio_codec codec); /* NULL: no memory */
void mcu_hearing_free(struct mcu_hearing *hearing);
/* Another stream begins: what is left of the old one is forgotten; counters stay. */
void mcu_hearing_restart(struct mcu_hearing *hearing, enum mcu_audio_codec codec);

/* A packet came, decrypted. `sequence` and `timestamp` are extended and never wrap (timestamp
 * in the codec's RTP clock); `now` in us. A codec other than the present one changes the
 * decoder. */
void mcu_hearing_push(struct mcu_hearing *hearing, enum mcu_audio_codec codec,
                      int64_t sequence, int64_t timestamp, const uint8_t *payload, size_t size,
                      int64_t now);
/* A packet came and was skipped (not decrypted): only its place in the stream and its time of
 * arrival are known. It is silence for whoever is not heard, and keeps the delay right for
 * when the leg is heard again. It may be pushed after all, before the first tick that is
 * decoded: the last three packets that are past by then warm the decoder. */
void mcu_hearing_skipped(struct mcu_hearing *hearing, enum mcu_audio_codec codec,
                         int64_t sequence, int64_t timestamp, int64_t now);

enum mcu_heard {
    MCU_HEARD_SOUND,
    MCU_HEARD_NOTHING, /* nothing is there to hear: not begun, or silent for longer than is
                          concealed (DTX, muted) */
};
/* One tick, every 20 ms; `now` may be late by what ticks are late. `decode` false: time passes
 * and nothing is decoded; `out` may be NULL then. A decoder is made in the first tick that
 * needs it. Returns what is in `out` (MCU_TICK samples; zeros with MCU_HEARD_NOTHING). The
 * first tick that is heard after one that was not fades in over 5 ms. */
enum mcu_heard mcu_hearing_tick(struct mcu_hearing *hearing, bool decode, int64_t now,
                                int16_t *out);

const struct mcu_hearing_stats *mcu_hearing_stats(const struct mcu_hearing *hearing);

#endif
