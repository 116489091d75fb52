/* What reading and writing STUN share: the numbers of RFC 8489 and RFC 8445, and the digests.
 */
#ifndef MCU_WIRE_STUN_MESSAGE_H
#define MCU_WIRE_STUN_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUN_COOKIE 0x2112A442u

enum {
    STUN_HEADER = 20,
    STUN_ATTRIBUTE = 4, /* type and length */
    STUN_DIGEST = 20,   /* bytes of an HMAC-SHA1 */

    STUN_MAPPED_ADDRESS = 0x0001,
    STUN_USERNAME = 0x0006,
    STUN_MESSAGE_INTEGRITY = 0x0008,
    STUN_ERROR_CODE = 0x0009,
    STUN_UNKNOWN_ATTRIBUTES = 0x000A,
    STUN_REALM = 0x0014,
    STUN_NONCE = 0x0015,
    STUN_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_PRIORITY = 0x0024,
    STUN_USE_CANDIDATE = 0x0025,
    STUN_OPTIONAL = 0x8000, /* from here on attributes may be ignored */
    STUN_FINGERPRINT = 0x8028,
    STUN_ICE_CONTROLLED = 0x8029,
    STUN_ICE_CONTROLLING = 0x802A,
};

/* The value of FINGERPRINT for a message whose first `size` bytes come before it. */
uint32_t stun_fingerprint(const uint8_t *data, size_t size);

/* The value of MESSAGE-INTEGRITY for a message whose first `size` bytes come before it. The
 * length that the header says is not read: RFC 8489 section 14.5 says what is hashed in its
 * place. False where the library cannot. */
bool stun_integrity(uint8_t digest[STUN_DIGEST], const uint8_t *data, size_t size,
                    const char *password, size_t password_size);

#endif
