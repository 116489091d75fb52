/* STUN for an ICE-lite agent (RFC 8489, RFC 8445 section 2.5 and 7.3): a Binding request in,
 * what it proves, a response out. Pure: no socket, no clock, no allocation, no state. */
#ifndef MCU_STUN_H
#define MCU_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define MCU_STUN_MAX 1280 /* bytes of a message that is looked at or written */
#define MCU_UFRAG_MAX 256 /* characters of one ufrag, RFC 8839 section 5.4 */
#define MCU_PASSWORD_MAX 256

enum mcu_stun_class {
    MCU_STUN_REQUEST,
    MCU_STUN_INDICATION,
    MCU_STUN_SUCCESS,
    MCU_STUN_ERROR
};

/* A message taken apart. Pointers are into the datagram. */
struct mcu_stun {
    const uint8_t *data;
    size_t size;
    uint16_t method; /* 1: Binding */
    enum mcu_stun_class class;
    uint8_t transaction[12];
    const char *username; /* NULL where there is none; not terminated */
    size_t username_size;
    size_t integrity;   /* offset of MESSAGE-INTEGRITY in data, 0: none */
    size_t fingerprint; /* offset of FINGERPRINT, 0: none; where there is one it is right and
                           last */
    uint32_t priority;
    uint64_t controlling, controlled; /* tie-breakers */
    bool has_priority, has_controlling, has_controlled, use_candidate;
    uint16_t unknown; /* the first comprehension-required attribute that is not known, or 0 */
    uint16_t error_code; /* of an error response, or 0 */
};

/* Takes a datagram apart. Returns 0, or -1 where it is no well-formed STUN message: wrong
 * length, cookie or fingerprint, an attribute over the end, one after FINGERPRINT. Attributes
 * after MESSAGE-INTEGRITY (but FINGERPRINT) are ignored, RFC 8489 section 14.5. */
int mcu_stun_parse(struct mcu_stun *message, const uint8_t *data, size_t size);

/* Whether MESSAGE-INTEGRITY (HMAC-SHA1) is there and right for this short-term password. Takes
 * the same time wherever the digest differs. */
bool mcu_stun_verify(const struct mcu_stun *message, const char *password, size_t size);

/* Each writes a whole message to `out` (MCU_STUN_MAX bytes), with MESSAGE-INTEGRITY where
 * `password` is not NULL, and FINGERPRINT; returns its size. `peer`: for XOR-MAPPED-ADDRESS,
 * IPv4, IPv6, or IPv4 mapped in IPv6 (written as IPv4). */
size_t mcu_stun_success(uint8_t *out, const struct mcu_stun *request,
                        const struct sockaddr *peer, const char *password,
                        size_t password_size);
/* `code`: 400 Bad Request, 401 Unauthenticated, 420 Unknown Attribute (with UNKNOWN-ATTRIBUTES
 * of request->unknown), 487 Role Conflict. */
size_t mcu_stun_error(uint8_t *out, const struct mcu_stun *request, uint16_t code,
                      const char *password, size_t password_size);
/* A Binding request as a controlling agent sends it: for the tests and the load generator. */
size_t mcu_stun_request(uint8_t *out, const uint8_t transaction[12], const char *username,
                        size_t username_size, const char *password, size_t password_size,
                        uint64_t controlling, uint32_t priority, bool use_candidate);

#endif
