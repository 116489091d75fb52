#include <mcu/stun.h>

#include "bytes.h"
#include "stun_message.h"

#include <openssl/crypto.h>

/* RFC 8489 section 5 */
static int take_header(struct mcu_stun *message, const uint8_t *data, size_t size)
{
    if (size < STUN_HEADER || size > MCU_STUN_MAX || data[0] >> 6 != 0 ||
        get16(data + 2) != size - STUN_HEADER || size % 4 || get32(data + 4) != STUN_COOKIE)
        return -1;
    const unsigned type = get16(data);
    *message = (struct mcu_stun){
        .data = data,
        .size = size,
        .method = (uint16_t)((type & 0x3E00) >> 2 | (type & 0xE0) >> 1 | (type & 0x0F)),
        .class = (enum mcu_stun_class)((type & 0x100) >> 7 | (type & 0x10) >> 4),
    };
    for (int i = 0; i < 12; i++)
        message->transaction[i] = data[8 + i];
    return 0;
}

static int take_number(bool *has, uint64_t *number, const uint8_t *value, size_t length,
                       size_t wanted)
{
    if (length != wanted)
        return -1;
    if (!*has)
        *number = wanted == 8 ? get64(value) : get32(value);
    *has = true;
    return 0;
}

static int take_priority(struct mcu_stun *message, const uint8_t *value, size_t length)
{
    uint64_t number = message->priority;
    if (take_number(&message->has_priority, &number, value, length, 4))
        return -1;
    message->priority = (uint32_t)number;
    return 0;
}

static int take_error(struct mcu_stun *message, const uint8_t *value, size_t length)
{
    if (length < 4)
        return -1;
    if (!message->error_code)
        message->error_code = (uint16_t)((value[2] & 7) * 100 + value[3]);
    return 0;
}

static int take_integrity(struct mcu_stun *message, const uint8_t *value, size_t length)
{
    if (length != STUN_DIGEST)
        return -1;
    message->integrity = (size_t)(value - message->data) - STUN_ATTRIBUTE;
    return 0;
}

static int take_fingerprint(struct mcu_stun *message, const uint8_t *value, size_t length)
{
    const size_t before = (size_t)(value - message->data) - STUN_ATTRIBUTE;
    if (length != 4 || get32(value) != stun_fingerprint(message->data, before))
        return -1;
    message->fingerprint = before;
    return 0;
}

/* One attribute. Of one that is there twice the first counts (RFC 8489 section 14). */
static int take_attribute(struct mcu_stun *message, uint16_t type, const uint8_t *value,
                          size_t length)
{
    switch (type) {
    case STUN_USERNAME:
        if (!message->username) {
            message->username = (const char *)value;
            message->username_size = length;
        }
        return 0;
    case STUN_PRIORITY:
        return take_priority(message, value, length);
    case STUN_USE_CANDIDATE:
        message->use_candidate = true;
        return 0;
    case STUN_ICE_CONTROLLED:
        return take_number(&message->has_controlled, &message->controlled, value, length, 8);
    case STUN_ICE_CONTROLLING:
        return take_number(&message->has_controlling, &message->controlling, value, length, 8);
    case STUN_ERROR_CODE:
        return take_error(message, value, length);
    case STUN_MESSAGE_INTEGRITY:
        return take_integrity(message, value, length);
    case STUN_MAPPED_ADDRESS: /* known, and nothing to us */
    case STUN_XOR_MAPPED_ADDRESS:
    case STUN_UNKNOWN_ATTRIBUTES:
    case STUN_REALM:
    case STUN_NONCE:
        return 0;
    default:
        if (type < STUN_OPTIONAL && !message->unknown)
            message->unknown = type;
        return 0;
    }
}

int mcu_stun_parse(struct mcu_stun *message, const uint8_t *data, size_t size)
{
    if (take_header(message, data, size))
        return -1;
    size_t at = STUN_HEADER;
    while (at < size) { /* all lengths are multiples of four: an attribute's head is there */
        const uint16_t type = get16(data + at);
        const size_t length = get16(data + at + 2);
        const uint8_t *value = data + at + STUN_ATTRIBUTE;
        if (message->fingerprint || length > size - at - STUN_ATTRIBUTE)
            return -1;
        int verdict = 0;
        if (type == STUN_FINGERPRINT)
            verdict = take_fingerprint(message, value, length);
        else if (!message->integrity)
            verdict = take_attribute(message, type, value, length);
        if (verdict)
            return -1;
        at += STUN_ATTRIBUTE + ((length + 3) & ~(size_t)3);
    }
    return 0;
}

bool mcu_stun_verify(const struct mcu_stun *message, const char *password, size_t size)
{
    uint8_t digest[STUN_DIGEST];
    return message->integrity &&
           stun_integrity(digest, message->data, message->integrity, password, size) &&
           CRYPTO_memcmp(digest, message->data + message->integrity + STUN_ATTRIBUTE,
                         STUN_DIGEST) == 0;
}
