/* DTMF as tones in the sound itself (ITU-T Q.23, Q.24), by spandsp: for far ends that have no
 * telephone-event (RFC 4733). Listens to packets as they come, before any jitter buffer: what
 * is late is let go, and what is lost is taken for more of the same. An object is one stream's
 * and not thread-safe; only its making and its freeing have to do with memory. */
#ifndef MCU_TONES_H
#define MCU_TONES_H

#include <mcu/codec.h>

#define MCU_TONES_MOST 4 /* digits that one packet can end: 120 ms */

struct mcu_tones;
/* Of packets of this codec. NULL: no memory. */
struct mcu_tones *mcu_tones_new(enum mcu_audio_codec codec);
void mcu_tones_free(struct mcu_tones *tones);
/* Another stream begins. */
void mcu_tones_restart(struct mcu_tones *tones);
/* A packet came, with its extended timestamp. Returns how many presses were heard, at most
 * MCU_TONES_MOST: characters (0 … 9 * # A … D) in `digits`. A press is told once, when it has
 * sounded for some 40 ms. */
size_t mcu_tones_packet(struct mcu_tones *tones, int64_t timestamp, const uint8_t *payload,
                        size_t size, char *digits);

#endif
