/* The header of an RTP packet (RFC 3550 section 5.1) and its extensions (RFC 8285), read and
 * written. Pure. */
#ifndef MCU_RTP_H
#define MCU_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCU_MTU                                                                               \
    1200 /* bytes of an RTP packet that we send, before SRTP: with its tag, UDP and IPv6      \
            below 1,280 */
#define MCU_DATAGRAM_OUT                                                                      \
    1232 /* bytes of any datagram that we send: with UDP and IPv6 headers the 1,280 that      \
            every path takes (RFC 8200 section 5) */
#define MCU_DATAGRAM 1500 /* the largest datagram that is taken; what is longer is dropped */
#define MCU_RTP_HEADER_MAX 96 /* bytes that mcu_rtp_write needs at most */
#define MCU_MID_MAX 16

/* Which ids the extensions have; 0: not negotiated. One-byte and two-byte form are both read;
 * written in one-byte form. */
struct mcu_rtp_extensions {
    uint8_t mid;       /* RFC 9143 */
    uint8_t rid;       /* RFC 8852, rtp-stream-id */
    uint8_t repaired;  /* RFC 8852, repaired-rtp-stream-id */
    uint8_t level;     /* RFC 6464 */
    uint8_t send_time; /* abs-send-time: 24 bits, 6.18 fixed point seconds */
    uint8_t sequence;  /* transport-wide-cc sequence number */
};

/* A packet taken apart. Pointers are into the datagram. */
struct mcu_rtp {
    uint8_t payload_type;
    bool marker;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    const uint8_t *payload;
    size_t payload_size; /* without padding */
    size_t header_size;  /* up to the payload */
    bool padded;
    const char *mid; /* NULL where there is none; not terminated */
    size_t mid_size;
    const char *rid, *repaired;
    size_t rid_size, repaired_size;
    int level;  /* -dBov 0 … 127; -1 where there is none */
    bool voice; /* the V bit of RFC 6464 */
    bool has_send_time, has_wide_sequence;
    uint32_t send_time;
    uint16_t wide_sequence;
};

/* Bytes of the header with CSRCs and extension; 0: the packet is shorter. */
size_t mcu_rtp_header_size(const uint8_t *data, size_t size);

/* Takes a packet apart. -1 where it is malformed: short, another version, CSRCs, extension or
 * padding over the end. `encrypted`: the payload is not looked at, padding neither (SRTP):
 * payload_size counts the tag. A malformed extension block whose length is right is skipped,
 * not an error. */
int mcu_rtp_parse(struct mcu_rtp *packet, const uint8_t *data, size_t size,
                  const struct mcu_rtp_extensions *extensions, bool encrypted);
/* The payload of a packet that was taken apart `encrypted` and then decrypted in place: it has
 * this `size` now. Padding is taken off; -1 where that goes over the end, and nothing has
 * changed. */
int mcu_rtp_decrypted(struct mcu_rtp *packet, size_t size);

/* Writes a header with the extensions that `extensions` has ids for and `packet` has values
 * for (mid, rid, level >= 0, has_send_time, has_wide_sequence). Returns its size. `payload` is
 * not looked at. */
size_t mcu_rtp_write(uint8_t out[MCU_RTP_HEADER_MAX], const struct mcu_rtp *packet,
                     const struct mcu_rtp_extensions *extensions);

/* 6.18 fixed point seconds of a monotonic time in microseconds. */
uint32_t mcu_send_time(int64_t now);

/* Extends 16, 24 or 32 bits to the number nearest to `reference`, which never wraps (RFC 3711
 * appendix A); -1: there is none yet. */
int64_t mcu_extend16(int64_t reference, uint16_t number);
int64_t mcu_extend24(int64_t reference, uint32_t number);
int64_t mcu_extend32(int64_t reference, uint32_t number);

#endif
