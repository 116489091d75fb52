#include <mcu/srtp.h>

#include <mcu/rtp.h>

#include "bytes.h"
#include "srtp_box.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { RTP_HEADER = 12, RTCP_HEADER = 8, RTCP_INDEX = 4, WINDOW = 1024 };
enum { JOIN_TRIES = 3, JOIN_COUNTERS = 1021 /* prime: no rhythm of others hides one */ };
static const int64_t INDEX_MAX = ((int64_t)1 << 48) - 1; /* a counter of 32 bits */
static const int64_t RTCP_MAX = INT32_MAX;
#define ENCRYPTED 0x80000000u /* RFC 3711 section 3.4: the E flag */

/* Which indexes came, of the last WINDOW. */
struct window {
    int64_t highest; /* -1: none */
    uint64_t seen[WINDOW / 64];
};

/* What was sent or received of one SSRC. */
struct source {
    uint32_t ssrc;
    uint64_t used;
    struct window rtp, rtcp;
};

struct mcu_srtp {
    enum mcu_srtp_profile profile;
    uint8_t key[MCU_SRTP_KEY_MAX];
    bool sending;
    struct box rtp, rtcp;
    uint64_t clock;   /* of `used` */
    uint32_t counter; /* that is tried next for a source that is not known */
    size_t source_count;
    struct source sources[MCU_SRTP_SOURCES];
};

struct mcu_srtp *mcu_srtp_new(enum mcu_srtp_profile profile, const uint8_t *key, bool sending)
{
    struct mcu_srtp *srtp = calloc(1, sizeof *srtp);
    if (!srtp)
        return NULL;
    srtp->profile = profile;
    memcpy(srtp->key, key, mcu_srtp_key_size(profile));
    srtp->sending = sending;
    if (box_open(&srtp->rtp, profile, key, false, sending) &&
        box_open(&srtp->rtcp, profile, key, true, sending))
        return srtp;
    mcu_srtp_free(srtp);
    return NULL;
}

void mcu_srtp_free(struct mcu_srtp *srtp)
{
    if (!srtp)
        return;
    box_close(&srtp->rtp);
    box_close(&srtp->rtcp);
    OPENSSL_cleanse(srtp->key, sizeof srtp->key);
    free(srtp);
}

bool mcu_srtp_has(const struct mcu_srtp *srtp, enum mcu_srtp_profile profile,
                  const uint8_t *key)
{
    return srtp->profile == profile &&
           CRYPTO_memcmp(srtp->key, key, mcu_srtp_key_size(profile)) == 0;
}

/* -- sources -- */

static struct source *source_of(struct mcu_srtp *srtp, uint32_t ssrc)
{
    for (size_t i = 0; i < srtp->source_count; i++)
        if (srtp->sources[i].ssrc == ssrc)
            return &srtp->sources[i];
    return NULL;
}

/* The one of this SSRC, from now on; NULL: a sender has no place for it. A receiver gives up
 * the one that was used least lately; a sender none, it would use its nonces again. */
static struct source *noted(struct mcu_srtp *srtp, uint32_t ssrc)
{
    struct source *source = source_of(srtp, ssrc);
    if (!source) {
        source = srtp->sources;
        if (srtp->source_count < MCU_SRTP_SOURCES)
            source = &srtp->sources[srtp->source_count++];
        else if (srtp->sending)
            return NULL;
        else
            for (size_t i = 1; i < MCU_SRTP_SOURCES; i++)
                if (srtp->sources[i].used < source->used)
                    source = &srtp->sources[i];
        *source = (struct source){.ssrc = ssrc, .rtp.highest = -1, .rtcp.highest = -1};
    }
    source->used = ++srtp->clock;
    return source;
}

/* -- the replay window, RFC 3711 section 3.3.2 -- */

static uint64_t *word_of(struct window *window, int64_t index)
{
    return &window->seen[(index % WINDOW) / 64];
}

static uint64_t bit_of(int64_t index) { return UINT64_C(1) << (index & 63); }

static bool is_new(struct window *window, int64_t index)
{
    if (index > window->highest)
        return true;
    return window->highest - index < WINDOW && !(*word_of(window, index) & bit_of(index));
}

static void see(struct window *window, int64_t index)
{
    if (index - window->highest >= WINDOW)
        memset(window->seen, 0, sizeof window->seen);
    else
        for (int64_t passed = window->highest + 1; passed < index; passed++)
            *word_of(window, passed) &= ~bit_of(passed);
    if (index > window->highest)
        window->highest = index;
    *word_of(window, index) |= bit_of(index);
}

/* -- RTP -- */

static bool pass_rtp(struct mcu_srtp *srtp, uint8_t *data, size_t size, int64_t index,
                     uint8_t *tag, bool sending)
{
    uint8_t counter[4];
    put32(counter, (uint32_t)(index >> 16));
    const size_t header = mcu_rtp_header_size(data, size);
    const struct box_part part = {.ssrc = get32(data + 8),
                                  .index = index,
                                  .head = data,
                                  .head_size = header,
                                  .body_size = size - header,
                                  .extra = counter,
                                  .extra_size = srtp->rtp.gcm ? 0 : sizeof counter};
    if (!header)
        return false;
    return sending ? box_seal(&srtp->rtp, &part, tag) : box_unseal(&srtp->rtp, &part, tag);
}

int mcu_srtp_protect(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    if (*size < RTP_HEADER || *size > MCU_DATAGRAM)
        return -1;
    struct source *source = noted(srtp, get32(data + 8));
    if (!source)
        return -1;
    struct window *window = &source->rtp;
    const int64_t index = mcu_extend16(window->highest, get16(data + 2));
    if (index < 0 || index > INDEX_MAX ||
        !pass_rtp(srtp, data, *size, index, data + *size, true))
        return -1;
    if (index > window->highest)
        window->highest = index;
    *size += srtp->rtp.tag;
    return 0;
}

/* As if the packet had this index. Where it is not authentic, all is as it was. */
static int unprotect(struct mcu_srtp *srtp, uint8_t *data, size_t *size, int64_t index)
{
    const uint32_t ssrc = get32(data + 8);
    struct source *source = source_of(srtp, ssrc);
    const size_t clear = *size - srtp->rtp.tag;
    if (index < 0 || index > INDEX_MAX || (source && !is_new(&source->rtp, index)) ||
        !pass_rtp(srtp, data, clear, index, data + clear, false))
        return -1;
    see(&noted(srtp, ssrc)->rtp, index);
    *size = clear;
    return 0;
}

/* Of a source that is not known: its counter is 0, or it has been sending for long, to
 * somebody else before, and the packets that come try each counter in turn. */
static int join(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    uint8_t copy[MCU_DATAGRAM];
    const uint16_t sequence = get16(data + 2);
    memcpy(copy, data, *size);
    for (int tried = 0; tried <= JOIN_TRIES; tried++) {
        const uint32_t counter = tried ? 1 + srtp->counter++ % JOIN_COUNTERS : 0;
        if (unprotect(srtp, data, size, ((int64_t)counter << 16) + sequence) == 0)
            return 0;
        memcpy(data, copy, *size);
    }
    return -1;
}

int mcu_srtp_unprotect(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    if (*size < RTP_HEADER + srtp->rtp.tag || *size > MCU_DATAGRAM)
        return -1;
    const struct source *source = source_of(srtp, get32(data + 8));
    if (!source)
        return join(srtp, data, size);
    return unprotect(srtp, data, size, mcu_extend16(source->rtp.highest, get16(data + 2)));
}

/* -- RTCP: RFC 3711 section 3.4, RFC 7714 section 9 -- */

static struct box_part rtcp_part(uint8_t *data, size_t size, int64_t index,
                                 const uint8_t word[RTCP_INDEX])
{
    return (struct box_part){.ssrc = get32(data + 4),
                             .index = index,
                             .head = data,
                             .head_size = RTCP_HEADER,
                             .body_size = size - RTCP_HEADER,
                             .extra = word,
                             .extra_size = RTCP_INDEX};
}

int mcu_srtp_protect_rtcp(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    if (*size < RTCP_HEADER || *size > MCU_DATAGRAM)
        return -1;
    struct source *source = noted(srtp, get32(data + 4));
    const int64_t index = source ? source->rtcp.highest + 1 : 0;
    uint8_t word[RTCP_INDEX], tag[BOX_TAG_MAX];
    if (!source || index > RTCP_MAX)
        return -1;
    put32(word, ENCRYPTED | (uint32_t)index);
    const struct box_part part = rtcp_part(data, *size, index, word);
    if (!box_seal(&srtp->rtcp, &part, tag))
        return -1;
    source->rtcp.highest = index;
    uint8_t *end = data + *size; /* the tag comes before the index in GCM, else behind it */
    memcpy(end + (srtp->rtcp.gcm ? srtp->rtcp.tag : 0), word, RTCP_INDEX);
    memcpy(end + (srtp->rtcp.gcm ? 0 : RTCP_INDEX), tag, srtp->rtcp.tag);
    *size += RTCP_INDEX + srtp->rtcp.tag;
    return 0;
}

int mcu_srtp_unprotect_rtcp(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    if (*size < RTCP_HEADER + RTCP_INDEX + srtp->rtcp.tag || *size > MCU_DATAGRAM)
        return -1;
    const size_t clear = *size - RTCP_INDEX - srtp->rtcp.tag;
    const uint8_t *word = data + clear + (srtp->rtcp.gcm ? srtp->rtcp.tag : 0);
    const uint8_t *tag = data + clear + (srtp->rtcp.gcm ? 0 : RTCP_INDEX);
    const uint32_t ssrc = get32(data + 4);
    const int64_t index = get32(word) & ~ENCRYPTED;
    struct source *source = source_of(srtp, ssrc);
    if (!(get32(word) & ENCRYPTED) || (source && !is_new(&source->rtcp, index)))
        return -1;
    const struct box_part part = rtcp_part(data, clear, index, word);
    if (!box_unseal(&srtp->rtcp, &part, tag))
        return -1;
    see(&noted(srtp, ssrc)->rtcp, index);
    *size = clear;
    return 0;
}
