#include <mcu/srtp.h>

#include <mcu/rtp.h>

#include "bytes.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

enum { RTP_HEADER = 12, RTCP_HEADER = 8, RTCP_INDEX = 4, KEY_MAX = 46, WINDOW = 1024 };
static const int64_t INDEX_MAX = ((int64_t)1 << 48) - 1; /* a counter of 32 bits */

/* What was received of one SSRC. */
struct source {
    uint32_t ssrc;
    int64_t highest; /* index that was authenticated; -1: none */
    uint64_t used;
};

struct mcu_srtp {
    srtp_t session;
    enum mcu_srtp_profile profile;
    uint8_t key[KEY_MAX]; /* for a stream that must start at another counter than 0 */
    struct source sources[MCU_SRTP_SOURCES];
    size_t source_count;
    uint64_t clock; /* of `used` */
    uint32_t skipped_ssrc;
    int64_t skipped_index; /* -1: nothing was skipped */
    int64_t index;
};

size_t mcu_srtp_key_size(enum mcu_srtp_profile profile)
{
    static const size_t sizes[MCU_SRTP_PROFILES] = {44, 28, 46, 30};
    return sizes[profile];
}

static size_t tag_size(enum mcu_srtp_profile profile)
{
    return profile <= MCU_SRTP_AEAD_AES_128_GCM ? 16 : 10;
}

static void set_ciphers(srtp_policy_t *policy, enum mcu_srtp_profile profile)
{
    static void (*const setters[MCU_SRTP_PROFILES])(srtp_crypto_policy_t *) = {
        srtp_crypto_policy_set_aes_gcm_256_16_auth,
        srtp_crypto_policy_set_aes_gcm_128_16_auth,
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
        srtp_crypto_policy_set_rtp_default,
    };
    setters[profile](&policy->rtp);
    setters[profile](&policy->rtcp);
}

static bool create(srtp_t *session, enum mcu_srtp_profile profile, uint8_t *key, bool sending)
{
    srtp_policy_t policy = {
        .ssrc = {.type = sending ? ssrc_any_outbound : ssrc_any_inbound},
        .key = key,
        .window_size = WINDOW,
        .allow_repeat_tx = sending,
    };
    set_ciphers(&policy, profile);
    return srtp_create(session, &policy) == srtp_err_status_ok;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;

static void start_library(void)
{
    /* The library's cryptography (NSS) is shut down with the last session, and takes
     * milliseconds to start again with the next: this one stays. */
    static srtp_t kept;
    uint8_t key[KEY_MAX] = {0};
    ready = srtp_init() == srtp_err_status_ok &&
            create(&kept, MCU_SRTP_AEAD_AES_128_GCM, key, true);
}

bool mcu_srtp_start(void)
{
    pthread_once(&once, start_library);
    return ready;
}

struct mcu_srtp *mcu_srtp_new(enum mcu_srtp_profile profile, const uint8_t *key, bool sending)
{
    if (!mcu_srtp_start())
        return NULL;
    struct mcu_srtp *srtp = calloc(1, sizeof *srtp);
    if (!srtp)
        return NULL;
    srtp->profile = profile;
    srtp->skipped_index = srtp->index = -1;
    memcpy(srtp->key, key, mcu_srtp_key_size(profile));
    if (!create(&srtp->session, profile, srtp->key, sending)) {
        OPENSSL_cleanse(srtp->key, sizeof srtp->key);
        free(srtp);
        return NULL;
    }
    return srtp;
}

void mcu_srtp_free(struct mcu_srtp *srtp)
{
    if (!srtp)
        return;
    srtp_dealloc(srtp->session);
    OPENSSL_cleanse(srtp->key, sizeof srtp->key);
    free(srtp);
}

/* -- sending -- */

int mcu_srtp_protect(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    int length = (int)*size;
    if (*size < RTP_HEADER || *size > MCU_DATAGRAM ||
        srtp_protect(srtp->session, data, &length) != srtp_err_status_ok)
        return -1;
    *size = (size_t)length;
    return 0;
}

int mcu_srtp_protect_rtcp(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    int length = (int)*size;
    if (*size < RTCP_HEADER || *size > MCU_DATAGRAM ||
        srtp_protect_rtcp(srtp->session, data, &length) != srtp_err_status_ok)
        return -1;
    *size = (size_t)length;
    return 0;
}

/* -- receiving -- */

static struct source *source_of(struct mcu_srtp *srtp, uint32_t ssrc)
{
    for (size_t i = 0; i < srtp->source_count; i++)
        if (srtp->sources[i].ssrc == ssrc)
            return &srtp->sources[i];
    return NULL;
}

/* Notes that something of this SSRC was authentic. The library keeps a stream for each SSRC
 * that ever was: the one that was used least lately is given up for a new one. */
static struct source *noted(struct mcu_srtp *srtp, uint32_t ssrc)
{
    struct source *source = source_of(srtp, ssrc);
    if (!source) {
        if (srtp->source_count < MCU_SRTP_SOURCES) {
            source = &srtp->sources[srtp->source_count++];
        } else {
            source = srtp->sources;
            for (size_t i = 1; i < MCU_SRTP_SOURCES; i++)
                if (srtp->sources[i].used < source->used)
                    source = &srtp->sources[i];
            srtp_remove_stream(srtp->session, htonl(source->ssrc));
        }
        *source = (struct source){.ssrc = ssrc, .highest = -1};
    }
    source->used = ++srtp->clock;
    return source;
}

/* Unprotects, and notes the index that the packet has where it is authentic. */
static int unprotect(struct mcu_srtp *srtp, uint8_t *data, size_t *size, int64_t index)
{
    const uint32_t ssrc = get32(data + 8);
    int length = (int)*size;
    if (srtp_unprotect(srtp->session, data, &length) != srtp_err_status_ok)
        return -1;
    *size = (size_t)length;
    struct source *source = noted(srtp, ssrc);
    if (index > source->highest)
        source->highest = index;
    srtp->index = index;
    return 0;
}

/* An SSRC of which nothing was authentic yet, as a stream of its own: only such a one takes
 * another counter than 0. */
static int add_stream(struct mcu_srtp *srtp, uint32_t ssrc)
{
    srtp_policy_t policy = {
        .ssrc = {.type = ssrc_specific, .value = ssrc},
        .key = srtp->key,
        .window_size = WINDOW,
    };
    set_ciphers(&policy, srtp->profile);
    return srtp_add_stream(srtp->session, &policy) == srtp_err_status_ok ? 0 : -1;
}

/* Unprotects a packet of another counter than the library would guess. Where it is not
 * authentic, all is as it was. */
static int leap(struct mcu_srtp *srtp, uint8_t *data, size_t *size, int64_t index)
{
    const uint32_t ssrc = get32(data + 8);
    const bool known = source_of(srtp, ssrc);
    if (!known && add_stream(srtp, ssrc))
        return -1;
    srtp_set_stream_roc(srtp->session, ssrc, (uint32_t)(index >> 16));
    const int verdict = unprotect(srtp, data, size, index);
    if (verdict && !known)
        srtp_remove_stream(srtp->session, htonl(ssrc));
    else /* 0 means none: else it would hold this counter for packets to come */
        srtp_set_stream_roc(srtp->session, ssrc, 0);
    return verdict;
}

int mcu_srtp_unprotect(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    if (*size < RTP_HEADER + tag_size(srtp->profile) || *size > MCU_DATAGRAM)
        return -1;
    const uint32_t ssrc = get32(data + 8);
    const uint16_t sequence = get16(data + 2);
    const struct source *source = source_of(srtp, ssrc);
    const int64_t guess = mcu_extend16(source ? source->highest : -1, sequence);
    const int64_t skipped = srtp->skipped_ssrc == ssrc ? srtp->skipped_index : -1;
    srtp->skipped_index = -1;
    if (skipped <= guess || (skipped & 0xFFFF) != sequence || skipped > INDEX_MAX)
        return unprotect(srtp, data, size, guess);
    uint8_t copy[MCU_DATAGRAM]; /* rare: once after a long skip */
    const size_t before = *size;
    memcpy(copy, data, before);
    if (leap(srtp, data, size, skipped) == 0)
        return 0;
    memcpy(data, copy, before);
    return unprotect(srtp, data, size, guess);
}

int mcu_srtp_unprotect_rtcp(struct mcu_srtp *srtp, uint8_t *data, size_t *size)
{
    int length = (int)*size;
    if (*size < RTCP_HEADER + RTCP_INDEX + tag_size(srtp->profile) || *size > MCU_DATAGRAM)
        return -1;
    const uint32_t ssrc = get32(data + 4);
    if (srtp_unprotect_rtcp(srtp->session, data, &length) != srtp_err_status_ok)
        return -1;
    *size = (size_t)length;
    noted(srtp, ssrc);
    return 0;
}

void mcu_srtp_skipped_to(struct mcu_srtp *srtp, uint32_t ssrc, int64_t index)
{
    srtp->skipped_ssrc = ssrc;
    srtp->skipped_index = index;
}

int64_t mcu_srtp_index(const struct mcu_srtp *srtp) { return srtp->index; }
