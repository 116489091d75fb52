/* Payloads that many legs send, kept for a while to be sent again: built once for an encoding
 * class, counted by reference, each leg remembers by its own sequence numbers which it sent
 * (RFC 4585 NACK, RFC 4588 RTX). Not thread-safe: the plane's lock is held by whoever calls.
 */
#ifndef MCU_RESEND_H
#define MCU_RESEND_H

#include <mcu/payload.h>
#include <mcu/rtp.h>

#define MCU_RESEND_PACKETS 1024 /* remembered by leg; a power of two; 1 – 2 s at 4 Mbit/s */
#define MCU_RESEND_FOR 2000000  /* us: nothing older is sent again */

/* The payloads of one picture, all in one piece of memory. */
struct mcu_payloads {
    uint32_t references;
    uint32_t count;
    uint32_t timestamp;
    int64_t made; /* us */
    enum mcu_video_codec codec;
    bool key;
    uint32_t
        offset[]; /* count + 1 offsets into the bytes that follow it; use mcu_payloads_at */
};
/* Cuts a picture (see mcu_payload_cut) with one reference; NULL: it cannot be cut, is
 * empty or needs more than 2,048 payloads, or no memory. */
struct mcu_payloads *mcu_payloads_new(enum mcu_video_codec codec, const uint8_t *picture,
                                      size_t size, size_t most, uint16_t picture_id,
                                      uint32_t timestamp, bool key, int64_t now);
void mcu_payloads_hold(struct mcu_payloads *payloads);
void mcu_payloads_drop(struct mcu_payloads *payloads); /* frees with the last reference */
size_t mcu_payloads_size(const struct mcu_payloads *payloads); /* of all together */
const uint8_t *mcu_payloads_at(const struct mcu_payloads *payloads, uint32_t number,
                               size_t *size);

/* What one leg sent last. Zero it to begin. */
struct mcu_sent {
    struct {
        struct mcu_payloads *payloads; /* a reference, or NULL */
        uint32_t number;
        int64_t sequence; /* extended */
        int64_t resent;   /* us, of the last time; 0: never */
    } ring[MCU_RESEND_PACKETS];
};
void mcu_sent_remember(struct mcu_sent *sent, int64_t sequence, struct mcu_payloads *payloads,
                       uint32_t number);
/* The payload that was sent as `sequence`, to be sent again: its size, and *payloads and
 * *number for its marker and timestamp; NULL where it is too old, unknown, or was sent again
 * less than `rtt` us ago. */
const uint8_t *mcu_sent_again(struct mcu_sent *sent, int64_t sequence, int64_t now,
                              int64_t rtt, size_t *size, struct mcu_payloads **payloads,
                              uint32_t *number);
void mcu_sent_clear(struct mcu_sent *sent);

#endif
