/* RTCP (RFC 3550, RFC 4585, RFC 5104): compound packets read one event at a time, and written.
 * Pure. */
#ifndef MCU_RTCP_H
#define MCU_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCU_RTCP_MAX 1200

enum mcu_rtcp_kind {
    MCU_RTCP_SENDER, /* SR: ssrc, ntp, timestamp, packets, bytes; its report blocks follow as
                        MCU_RTCP_REPORT */
    MCU_RTCP_REPORT, /* one report block of an SR or RR: media_ssrc is ours */
    MCU_RTCP_NACK,   /* one FCI of a Generic NACK: media_ssrc, pid, mask */
    MCU_RTCP_PLI,    /* media_ssrc */
    MCU_RTCP_FIR,    /* one FCI: media_ssrc, command */
    MCU_RTCP_REMB,   /* bits_per_second, of the SSRCs in body, 4 bytes each */
    MCU_RTCP_TMMBR, /* one FCI of RFC 5104 section 4.2.1: media_ssrc, bits_per_second, overhead
                     */
    MCU_RTCP_WIDE, /* a transport-wide-cc feedback: body and body_size, not taken apart here */
    MCU_RTCP_BYE,  /* one source: ssrc */
};

struct mcu_rtcp_event {
    enum mcu_rtcp_kind kind;
    uint32_t ssrc;       /* of the sender of this packet */
    uint32_t media_ssrc; /* whom it is about */
    uint64_t ntp;
    uint32_t timestamp, packets, bytes;
    uint8_t fraction_lost;
    int32_t lost;            /* cumulative, signed 24 bits */
    uint32_t highest;        /* extended highest sequence number received */
    uint32_t jitter;         /* in units of the clock rate */
    uint32_t last_sr, delay; /* LSR, DLSR */
    uint16_t pid, mask;
    uint8_t command;
    uint64_t bits_per_second;
    const uint8_t *body;
    size_t body_size;
    uint16_t overhead; /* bytes a packet that bits_per_second counts besides */
};

/* Reads a compound packet. Zero it but for data and size. */
struct mcu_rtcp_reader {
    const uint8_t *data;
    size_t size, at; /* at: of the packet that is being read */
    size_t item;     /* within it */
};

/* The next event: 1; the end: 0; -1 where the rest is malformed (nothing more is read of it).
 * Packets that are not known are skipped. The first packet may be of any kind (reduced size,
 * RFC 5506). */
int mcu_rtcp_next(struct mcu_rtcp_reader *reader, struct mcu_rtcp_event *event);

/* One report block as we write it. */
struct mcu_rtcp_block {
    uint32_t ssrc, highest, jitter, last_sr, delay;
    int32_t lost;
    uint8_t fraction_lost;
};

/* Each appends one packet at `out + *size` of MCU_RTCP_MAX bytes and moves *size on. 0, or -1
 * where it does not fit (nothing is written then). At most 31 blocks; a NACK takes `count`
 * extended sequence numbers in rising order; `cname` at most 255 bytes. */
int mcu_rtcp_sr(uint8_t *out, size_t *size, uint32_t ssrc, uint64_t ntp, uint32_t timestamp,
                uint32_t packets, uint32_t bytes, const struct mcu_rtcp_block *blocks,
                size_t count);
int mcu_rtcp_rr(uint8_t *out, size_t *size, uint32_t ssrc, const struct mcu_rtcp_block *blocks,
                size_t count);
int mcu_rtcp_sdes(uint8_t *out, size_t *size, uint32_t ssrc, const char *cname);
int mcu_rtcp_nack(uint8_t *out, size_t *size, uint32_t ssrc, uint32_t media_ssrc,
                  const int64_t *lost, size_t count);
int mcu_rtcp_pli(uint8_t *out, size_t *size, uint32_t ssrc, uint32_t media_ssrc);
int mcu_rtcp_fir(uint8_t *out, size_t *size, uint32_t ssrc, uint32_t media_ssrc,
                 uint8_t command);
int mcu_rtcp_remb(uint8_t *out, size_t *size, uint32_t ssrc, uint64_t bits_per_second,
                  const uint32_t *media_ssrcs, size_t count);
/* Asks the sources for no more than this each, packets' headers (`overhead` bytes) included.
 */
int mcu_rtcp_tmmbr(uint8_t *out, size_t *size, uint32_t ssrc, uint64_t bits_per_second,
                   uint16_t overhead, const uint32_t *media_ssrcs, size_t count);
/* Answers that: `owner` asked for it (RFC 5104 section 4.2.2). */
int mcu_rtcp_tmmbn(uint8_t *out, size_t *size, uint32_t ssrc, uint64_t bits_per_second,
                   uint16_t overhead, uint32_t owner);
int mcu_rtcp_bye(uint8_t *out, size_t *size, uint32_t ssrc);

/* Another SSRC in the place of one: `own` where it is of whoever says it, else it is of whom
 * they speak. false: there is none, and the packet is no good. */
typedef bool (*mcu_rtcp_namer)(void *of, bool own, uint32_t *ssrc);
/* Names the SSRCs of a compound anew, in place: of senders, chunks and BYEs, of report blocks,
 * and of the feedback of RFC 4585 and RFC 5104 and REMB. 0, or -1: malformed, or the namer
 * refused; then part of it may have been written. */
int mcu_rtcp_rename(uint8_t *data, size_t size, mcu_rtcp_namer namer, void *of);

/* What a receiver counts of one stream (RFC 3550 appendix A.3, A.8). Zero it to begin. */
struct mcu_reception {
    bool begun;
    int64_t first, highest; /* extended sequence numbers */
    uint64_t received, bytes;
    uint64_t expected_before, received_before; /* at the last report */
    double jitter;                             /* in units of the clock rate */
    uint32_t transit;                          /* likewise, it wraps */
    uint32_t last_sr;                          /* middle 32 bits of the last SR's NTP time */
    int64_t last_sr_at;                        /* when it came, us; 0: none */
};

/* Counts a packet: returns its extended sequence number. `clock_rate` in Hz, `now` in us. */
int64_t mcu_reception_packet(struct mcu_reception *reception, uint16_t sequence,
                             uint32_t timestamp, size_t bytes, uint32_t clock_rate,
                             int64_t now);
/* Lost so far (negative where there were duplicates). */
int64_t mcu_reception_lost(const struct mcu_reception *reception);
/* Makes the report block that is due, and begins a new interval. */
void mcu_reception_report(struct mcu_reception *reception, uint32_t ssrc, int64_t now,
                          struct mcu_rtcp_block *block);

#endif
