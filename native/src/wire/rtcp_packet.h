/* The numbers of RTCP that reading and writing share. */
#ifndef MCU_WIRE_RTCP_PACKET_H
#define MCU_WIRE_RTCP_PACKET_H

#include "bytes.h"

#include <stddef.h>

enum {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_RTPFB = 205, /* RFC 4585: transport layer feedback */
    RTCP_PSFB = 206,  /* payload-specific feedback */

    RTPFB_NACK = 1,
    RTPFB_TMMBR = 3,
    RTPFB_TMMBN = 4,
    RTPFB_WIDE = 15, /* transport-wide-cc */
    PSFB_PLI = 1,
    PSFB_FIR = 4,
    PSFB_APPLICATION = 15,

    RTCP_HEAD = 4,
    RTCP_BLOCK = 24,        /* one report block */
    RTCP_SR_FIXED = 28,     /* up to the report blocks */
    RTCP_RR_FIXED = 8,      /* the same */
    RTCP_FEEDBACK = 12,     /* up to the FCI */
    RTCP_REMB = 0x52454D42, /* "REMB" */
};

/* One packet of a compound, its padding cut off. */
struct rtcp_packet {
    const uint8_t *data;
    size_t size;
    unsigned count; /* or format */
    unsigned type;
};
/* The first of `left` bytes, of which it is `*whole`. 0, or -1: malformed. */
int rtcp_take(struct rtcp_packet *packet, size_t *whole, const uint8_t *data, size_t left);

/* The head of a packet of `bytes` bytes, which are a multiple of four, and the SSRC that each
 * kind has next. */
static inline void rtcp_head(uint8_t *at, size_t bytes, unsigned count, unsigned type,
                             uint32_t ssrc)
{
    at[0] = (uint8_t)(0x80 | count);
    at[1] = (uint8_t)type;
    put16(at + 2, (uint32_t)bytes / 4 - 1);
    put32(at + 4, ssrc);
}

#endif
