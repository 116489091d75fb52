#include <mcu/resend.h>

#include <stdlib.h>
#include <string.h>

/* Of a picture of MCU_PICTURE_MAX bytes (mcu/frames.h); what needs more is not sent. */
enum { PIECES_MAX = 2048 };

static uint8_t *bytes_of(struct mcu_payloads *payloads)
{
    return (uint8_t *)&payloads->offset[payloads->count + 1];
}

/* Room for these pieces; a STAP-A shrinks as it is written, by its start codes. */
static struct mcu_payloads *allocate(const struct mcu_piece *pieces, size_t count)
{
    size_t size = sizeof(struct mcu_payloads) + (count + 1) * sizeof(uint32_t);
    for (size_t i = 0; i < count; i++)
        size += pieces[i].prefix_size + pieces[i].size;
    return size <= UINT32_MAX ? malloc(size) : NULL;
}

static void write_all(struct mcu_payloads *payloads, const struct mcu_piece *pieces)
{
    uint8_t *bytes = bytes_of(payloads);
    uint32_t at = 0;
    for (uint32_t i = 0; i < payloads->count; i++) {
        payloads->offset[i] = at;
        at += (uint32_t)mcu_piece_write(&pieces[i], bytes + at);
    }
    payloads->offset[payloads->count] = at;
}

struct mcu_payloads *mcu_payloads_new(enum mcu_video_codec codec, const uint8_t *picture,
                                      size_t size, size_t most, uint16_t picture_id,
                                      uint32_t timestamp, bool key, int64_t now)
{
    struct mcu_piece pieces[PIECES_MAX];
    const int count =
        mcu_payload_cut(codec, picture, size, most, picture_id, pieces, PIECES_MAX);
    struct mcu_payloads *payloads = count > 0 ? allocate(pieces, (size_t)count) : NULL;
    if (!payloads)
        return NULL;
    *payloads = (struct mcu_payloads){.references = 1,
                                      .count = (uint32_t)count,
                                      .timestamp = timestamp,
                                      .made = now,
                                      .codec = codec,
                                      .key = key};
    write_all(payloads, pieces);
    return payloads;
}

void mcu_payloads_hold(struct mcu_payloads *payloads) { payloads->references++; }

void mcu_payloads_drop(struct mcu_payloads *payloads)
{
    if (!--payloads->references)
        free(payloads);
}

size_t mcu_payloads_size(const struct mcu_payloads *payloads)
{
    return payloads->offset[payloads->count];
}

const uint8_t *mcu_payloads_at(const struct mcu_payloads *payloads, uint32_t number,
                               size_t *size)
{
    const uint8_t *bytes = (const uint8_t *)&payloads->offset[payloads->count + 1];
    *size = payloads->offset[number + 1] - payloads->offset[number];
    return bytes + payloads->offset[number];
}

void mcu_sent_remember(struct mcu_sent *sent, int64_t sequence, struct mcu_payloads *payloads,
                       uint32_t number)
{
    const size_t at = (size_t)sequence & (MCU_RESEND_PACKETS - 1);
    mcu_payloads_hold(payloads); /* first: it may be what is forgotten */
    if (sent->ring[at].payloads)
        mcu_payloads_drop(sent->ring[at].payloads);
    sent->ring[at].payloads = payloads;
    sent->ring[at].number = number;
    sent->ring[at].sequence = sequence;
    sent->ring[at].resent = 0;
}

const uint8_t *mcu_sent_again(struct mcu_sent *sent, int64_t sequence, int64_t now,
                              int64_t rtt, size_t *size, struct mcu_payloads **payloads,
                              uint32_t *number)
{
    const size_t at = (size_t)sequence & (MCU_RESEND_PACKETS - 1);
    struct mcu_payloads *kept = sent->ring[at].payloads;
    const int64_t resent = sent->ring[at].resent;
    if (!kept || sent->ring[at].sequence != sequence || now - kept->made > MCU_RESEND_FOR ||
        (resent && now - resent < rtt))
        return NULL;
    sent->ring[at].resent = now;
    *payloads = kept;
    *number = sent->ring[at].number;
    return mcu_payloads_at(kept, *number, size);
}

void mcu_sent_clear(struct mcu_sent *sent)
{
    for (size_t at = 0; at < MCU_RESEND_PACKETS; at++)
        if (sent->ring[at].payloads)
            mcu_payloads_drop(sent->ring[at].payloads);
    memset(sent, 0, sizeof *sent);
}
