#include <mcu/stun.h>

#include "bytes.h"
#include "stun_message.h"

#include <netinet/in.h>
#include <string.h>

static size_t begin(uint8_t *out, uint16_t method, enum mcu_stun_class class,
                    const uint8_t transaction[12])
{
    const unsigned m = method, c = class;
    put16(out, (m & 0xF80) << 2 | (m & 0x70) << 1 | (m & 0x0F) | (c & 2) << 7 | (c & 1) << 4);
    put16(out + 2, 0);
    put32(out + 4, STUN_COOKIE);
    memcpy(out + 8, transaction, 12);
    return STUN_HEADER;
}

/* Appends an attribute, padded with zeros; its value is written where it says. */
static uint8_t *attribute(uint8_t *out, size_t *size, uint16_t type, size_t length)
{
    uint8_t *at = out + *size;
    const size_t padded = (length + 3) & ~(size_t)3;
    put16(at, type);
    put16(at + 2, (uint32_t)length);
    memset(at + STUN_ATTRIBUTE, 0, padded);
    *size += STUN_ATTRIBUTE + padded;
    return at + STUN_ATTRIBUTE;
}

/* The end of each message. The size, or 0 where the digest cannot be had. */
static size_t finish(uint8_t *out, size_t size, const char *password, size_t password_size)
{
    if (password) {
        uint8_t digest[STUN_DIGEST];
        if (!stun_integrity(digest, out, size, password, password_size))
            return 0;
        memcpy(attribute(out, &size, STUN_MESSAGE_INTEGRITY, STUN_DIGEST), digest,
               STUN_DIGEST);
    }
    const size_t before = size;
    uint8_t *value = attribute(out, &size, STUN_FINGERPRINT, 4);
    put16(out + 2, (uint32_t)(size - STUN_HEADER)); /* hashed too */
    put32(value, stun_fingerprint(out, before));
    return size;
}

/* RFC 8489 section 14.2: `mask` is the cookie, then the transaction id, as they stand in the
 * header. */
static void xor_address(uint8_t *out, size_t *size, uint8_t family, uint16_t port,
                        const uint8_t *address, size_t length)
{
    uint8_t *value = attribute(out, size, STUN_XOR_MAPPED_ADDRESS, 4 + length);
    const uint8_t *mask = out + 4;
    value[1] = family;
    put16(value + 2, port ^ STUN_COOKIE >> 16);
    for (size_t i = 0; i < length; i++)
        value[4 + i] = address[i] ^ mask[i];
}

static void mapped_address(uint8_t *out, size_t *size, const struct sockaddr *peer)
{
    enum { IPV4 = 1, IPV6 = 2, MAPPED = 12 };
    if (peer->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, peer, sizeof in);
        xor_address(out, size, IPV4, ntohs(in.sin_port), (const uint8_t *)&in.sin_addr, 4);
        return;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, peer, sizeof in6);
    const uint8_t *address = in6.sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
        xor_address(out, size, IPV4, ntohs(in6.sin6_port), address + MAPPED, 4);
    else
        xor_address(out, size, IPV6, ntohs(in6.sin6_port), address, 16);
}

size_t mcu_stun_success(uint8_t *out, const struct mcu_stun *request,
                        const struct sockaddr *peer, const char *password,
                        size_t password_size)
{
    size_t size = begin(out, request->method, MCU_STUN_SUCCESS, request->transaction);
    mapped_address(out, &size, peer);
    return finish(out, size, password, password_size);
}

static const char *reason(uint16_t code)
{
    switch (code) {
    case 401:
        return "Unauthenticated";
    case 420:
        return "Unknown Attribute";
    case 487:
        return "Role Conflict";
    default:
        return "Bad Request";
    }
}

size_t mcu_stun_error(uint8_t *out, const struct mcu_stun *request, uint16_t code,
                      const char *password, size_t password_size)
{
    const char *text = reason(code);
    size_t size = begin(out, request->method, MCU_STUN_ERROR, request->transaction);
    uint8_t *value = attribute(out, &size, STUN_ERROR_CODE, 4 + strlen(text));
    value[2] = (uint8_t)(code / 100);
    value[3] = (uint8_t)(code % 100);
    memcpy(value + 4, text, strlen(text));
    if (code == 420)
        put16(attribute(out, &size, STUN_UNKNOWN_ATTRIBUTES, 2), request->unknown);
    return finish(out, size, password, password_size);
}

size_t mcu_stun_request(uint8_t *out, const uint8_t transaction[12], const char *username,
                        size_t username_size, const char *password, size_t password_size,
                        uint64_t controlling, uint32_t priority, bool use_candidate)
{
    if (username_size > 2 * MCU_UFRAG_MAX + 1)
        return 0;
    size_t size = begin(out, 1, MCU_STUN_REQUEST, transaction);
    memcpy(attribute(out, &size, STUN_USERNAME, username_size), username, username_size);
    put32(attribute(out, &size, STUN_PRIORITY, 4), priority);
    put64(attribute(out, &size, STUN_ICE_CONTROLLING, 8), controlling);
    if (use_candidate)
        attribute(out, &size, STUN_USE_CANDIDATE, 0);
    return finish(out, size, password, password_size);
}
