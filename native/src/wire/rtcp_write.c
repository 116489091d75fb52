#include <mcu/rtcp.h>

#include "bytes.h"
#include "rtcp_packet.h"

#include <string.h>

/* The head of a packet of so many bytes: where it is, or NULL where it does not fit. Moves
 * *size on. */
static uint8_t *packet(uint8_t *out, size_t *size, size_t bytes, unsigned count, unsigned type,
                       uint32_t ssrc)
{
    if (*size > MCU_RTCP_MAX || bytes > MCU_RTCP_MAX - *size)
        return NULL;
    uint8_t *at = out + *size;
    rtcp_head(at, bytes, count, type, ssrc);
    *size += bytes;
    return at;
}

static uint8_t *feedback(uint8_t *out, size_t *size, size_t fci, unsigned format,
                         unsigned type, uint32_t ssrc, uint32_t media_ssrc)
{
    uint8_t *at = packet(out, size, RTCP_FEEDBACK + fci, format, type, ssrc);
    if (!at)
        return NULL;
    put32(at + 8, media_ssrc);
    return at + RTCP_FEEDBACK;
}

static void write_blocks(uint8_t *at, const struct mcu_rtcp_block *blocks, size_t count)
{
    const int32_t most = 0x7FFFFF; /* cumulative loss is 24 bits, signed; it stays at its ends
                                    */
    for (size_t i = 0; i < count; i++, at += RTCP_BLOCK) {
        const struct mcu_rtcp_block *block = &blocks[i];
        const int32_t lost = block->lost > most        ? most
                             : block->lost < -most - 1 ? -most - 1
                                                       : block->lost;
        put32(at, block->ssrc);
        at[4] = block->fraction_lost;
        put24(at + 5, (uint32_t)lost);
        put32(at + 8, block->highest);
        put32(at + 12, block->jitter);
        put32(at + 16, block->last_sr);
        put32(at + 20, block->delay);
    }
}

int mcu_rtcp_sr(uint8_t *out, size_t *size, uint32_t ssrc, uint64_t ntp, uint32_t timestamp,
                uint32_t packets, uint32_t bytes, const struct mcu_rtcp_block *blocks,
                size_t count)
{
    if (count > 31)
        return -1;
    uint8_t *at =
        packet(out, size, RTCP_SR_FIXED + RTCP_BLOCK * count, (unsigned)count, RTCP_SR, ssrc);
    if (!at)
        return -1;
    put64(at + 8, ntp);
    put32(at + 16, timestamp);
    put32(at + 20, packets);
    put32(at + 24, bytes);
    write_blocks(at + RTCP_SR_FIXED, blocks, count);
    return 0;
}

int mcu_rtcp_rr(uint8_t *out, size_t *size, uint32_t ssrc, const struct mcu_rtcp_block *blocks,
                size_t count)
{
    if (count > 31)
        return -1;
    uint8_t *at =
        packet(out, size, RTCP_RR_FIXED + RTCP_BLOCK * count, (unsigned)count, RTCP_RR, ssrc);
    if (!at)
        return -1;
    write_blocks(at + RTCP_RR_FIXED, blocks, count);
    return 0;
}

int mcu_rtcp_sdes(uint8_t *out, size_t *size, uint32_t ssrc, const char *cname)
{
    const size_t length = strlen(cname);
    if (length > 255)
        return -1;
    /* type, length, text, and one to four zeros that end the chunk (RFC 3550 section 6.5) */
    const size_t chunk = (2 + length) / 4 * 4 + 4;
    uint8_t *at = packet(out, size, 8 + chunk, 1, RTCP_SDES, ssrc);
    if (!at)
        return -1;
    memset(at + 8, 0, chunk);
    at[8] = 1; /* CNAME */
    at[9] = (uint8_t)length;
    memcpy(at + 10, cname, length);
    return 0;
}

/* How many of `lost` one FCI says, and its mask. */
static size_t one_nack(const int64_t *lost, size_t count, uint16_t *mask)
{
    size_t taken = 1;
    *mask = 0;
    while (taken < count && lost[taken] - lost[0] <= 16) {
        if (lost[taken] > lost[0])
            *mask |= (uint16_t)(1u << (lost[taken] - lost[0] - 1));
        taken++;
    }
    return taken;
}

int mcu_rtcp_nack(uint8_t *out, size_t *size, uint32_t ssrc, uint32_t media_ssrc,
                  const int64_t *lost, size_t count)
{
    size_t entries = 0;
    uint16_t mask;
    for (size_t i = 0; i < count; i += one_nack(lost + i, count - i, &mask))
        entries++;
    if (entries == 0)
        return -1;
    uint8_t *fci = feedback(out, size, 4 * entries, RTPFB_NACK, RTCP_RTPFB, ssrc, media_ssrc);
    if (!fci)
        return -1;
    for (size_t i = 0; i < count; fci += 4) {
        put16(fci, (uint32_t)lost[i] & 0xFFFF);
        i += one_nack(lost + i, count - i, &mask);
        put16(fci + 2, mask);
    }
    return 0;
}

int mcu_rtcp_pli(uint8_t *out, size_t *size, uint32_t ssrc, uint32_t media_ssrc)
{
    return feedback(out, size, 0, PSFB_PLI, RTCP_PSFB, ssrc, media_ssrc) ? 0 : -1;
}

int mcu_rtcp_fir(uint8_t *out, size_t *size, uint32_t ssrc, uint32_t media_ssrc,
                 uint8_t command)
{
    /* RFC 5104 section 4.3.1.2: the media SSRC of the head is 0 */
    uint8_t *fci = feedback(out, size, 8, PSFB_FIR, RTCP_PSFB, ssrc, 0);
    if (!fci)
        return -1;
    put32(fci, media_ssrc);
    put32(fci + 4, (uint32_t)command << 24);
    return 0;
}

/* Entries of RFC 5104 section 4.2.1.1: 6 bits of exponent, 17 of mantissa, 9 of overhead. */
static int bit_rates(uint8_t *out, size_t *size, unsigned format, uint32_t ssrc, uint32_t rate,
                     const uint32_t *ssrcs, size_t count)
{
    if (count > 255)
        return -1;
    uint8_t *fci = feedback(out, size, 8 * count, format, RTCP_RTPFB, ssrc, 0);
    if (!fci)
        return -1;
    for (size_t i = 0; i < count; i++) {
        put32(fci + 8 * i, ssrcs[i]);
        put32(fci + 8 * i + 4, rate);
    }
    return 0;
}

static uint32_t bit_rate(uint64_t bits_per_second, uint16_t overhead)
{
    uint32_t exponent = 0;
    while (bits_per_second >> exponent > 0x1FFFF)
        exponent++;
    return exponent << 26 | (uint32_t)(bits_per_second >> exponent) << 9 | (overhead & 0x1FF);
}

int mcu_rtcp_tmmbr(uint8_t *out, size_t *size, uint32_t ssrc, uint64_t bits_per_second,
                   uint16_t overhead, const uint32_t *media_ssrcs, size_t count)
{
    return bit_rates(out, size, RTPFB_TMMBR, ssrc, bit_rate(bits_per_second, overhead),
                     media_ssrcs, count);
}

int mcu_rtcp_tmmbn(uint8_t *out, size_t *size, uint32_t ssrc, uint64_t bits_per_second,
                   uint16_t overhead, uint32_t owner)
{
    return bit_rates(out, size, RTPFB_TMMBN, ssrc, bit_rate(bits_per_second, overhead), &owner,
                     1);
}

int mcu_rtcp_remb(uint8_t *out, size_t *size, uint32_t ssrc, uint64_t bits_per_second,
                  const uint32_t *media_ssrcs, size_t count)
{
    if (count > 255)
        return -1;
    uint8_t *fci = feedback(out, size, 8 + 4 * count, PSFB_APPLICATION, RTCP_PSFB, ssrc, 0);
    if (!fci)
        return -1;
    unsigned exponent = 0;
    while (bits_per_second >> exponent > 0x3FFFF)
        exponent++;
    put32(fci, RTCP_REMB);
    fci[4] = (uint8_t)count;
    put24(fci + 5, exponent << 18 | (uint32_t)(bits_per_second >> exponent));
    for (size_t i = 0; i < count; i++)
        put32(fci + 8 + 4 * i, media_ssrcs[i]);
    return 0;
}

int mcu_rtcp_bye(uint8_t *out, size_t *size, uint32_t ssrc)
{
    return packet(out, size, 8, 1, RTCP_BYE, ssrc) ? 0 : -1;
}
