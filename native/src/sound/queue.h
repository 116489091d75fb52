/* Packets of one stream that wait to be played, by sequence number. Pure, and of one size. */
#ifndef MCU_SOUND_QUEUE_H
#define MCU_SOUND_QUEUE_H

#include <mcu/hearing.h>
#include <mcu/rtp.h>

struct mcu_packet {
    int64_t sequence, timestamp; /* timestamp in samples at 48 kHz */
    int32_t duration;            /* samples */
    uint16_t size;               /* of the payload; 0: it was skipped */
    uint8_t codec;
    uint8_t slot; /* of the payload */
};

struct mcu_queue { /* zero it to begin; large arrays behind what each packet touches */
    size_t count;
    uint64_t used; /* slots; the lowest that is free is taken, so that few pages are touched */
    int64_t newest; /* highest sequence number that came */
    uint64_t seen;  /* which of the 64 up to it came: bit 0 is the newest */
    struct mcu_packet packets[MCU_HEARING_PACKETS];
    uint8_t payloads[MCU_HEARING_PACKETS][MCU_DATAGRAM];
};

/* Notes that this packet came; false: it came before. What is so old that it is not known
 * counts as new: it is too late in any case. */
bool mcu_queue_is_new(struct mcu_queue *queue, int64_t sequence);
/* Files a new packet; `payload` is copied (packet->size bytes, MCU_DATAGRAM at most). There
 * must be room. */
void mcu_queue_put(struct mcu_queue *queue, const struct mcu_packet *packet,
                   const uint8_t *payload);
/* The payload of a packet that was skipped came after all; false: none waits for it. */
bool mcu_queue_complete(struct mcu_queue *queue, const struct mcu_packet *packet,
                        const uint8_t *payload);
/* The one with the lowest sequence number; NULL: there is none. */
const struct mcu_packet *mcu_queue_head(const struct mcu_queue *queue);
/* The one with the highest. */
const struct mcu_packet *mcu_queue_last(const struct mcu_queue *queue);
const uint8_t *mcu_queue_payload(const struct mcu_queue *queue,
                                 const struct mcu_packet *packet);
void mcu_queue_drop_head(struct mcu_queue *queue);
/* Empties it and forgets what came. */
void mcu_queue_clear(struct mcu_queue *queue);

#endif
