/* SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714) by OpenSSL: one direction each, keys from DTLS
 * or SDES. Not thread-safe: the leg that owns it is locked by whoever calls. */
#ifndef MCU_SRTP_H
#define MCU_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mcu_srtp_profile { /* in order of preference */
                        MCU_SRTP_AEAD_AES_256_GCM,
                        MCU_SRTP_AEAD_AES_128_GCM,
                        MCU_SRTP_AES256_CM_SHA1_80,
                        MCU_SRTP_AES128_CM_SHA1_80,
                        MCU_SRTP_PROFILES
};
#define MCU_SRTP_KEY_MAX 46 /* bytes of a master key and salt at most */
#define MCU_SRTP_TRAILER 32 /* bytes that protecting adds at most, SRTCP's index included */
#define MCU_SRTP_SOURCES                                                                      \
    32 /* SSRCs of a direction that are remembered. Of more that are received, the one heard  \
          least lately is forgotten, with its replay window; of more to send, none is         \
          protected */

/* Bytes of master key and master salt together: 44, 28, 46, 30. */
size_t mcu_srtp_key_size(enum mcu_srtp_profile profile);

struct mcu_srtp; /* one direction */

/* NULL where the library refuses the key or memory ran out. `key`: master key, then master
 * salt; it is copied, and wiped by free. The replay window is 1,024 packets. A sender may
 * protect the very same packet again (a repeat). */
struct mcu_srtp *mcu_srtp_new(enum mcu_srtp_profile profile, const uint8_t *key, bool sending);
void mcu_srtp_free(struct mcu_srtp *srtp);
/* Whether it was made with this profile and key. */
bool mcu_srtp_has(const struct mcu_srtp *srtp, enum mcu_srtp_profile profile,
                  const uint8_t *key);

/* In place. `*size` becomes the new size; it is MCU_DATAGRAM at most, and `data` has
 * MCU_SRTP_TRAILER bytes to spare when protecting. 0, or -1: the packet is not authentic, was
 * seen before, or is malformed; then `data` may have been overwritten.
 *
 * Who unprotects must not miss 2^15 packets of a source in a row: the rollover counter is not
 * in them (RFC 3711 section 3.3.1). Of a source of which nothing authentic has come the
 * counter is looked for: 0 and three others by each packet, up to 1,021 in turn. So a receiver
 * may join late, and a call that was moved here is heard after no more than a third as many
 * packets as its counter says. */
int mcu_srtp_protect(struct mcu_srtp *srtp, uint8_t *data, size_t *size);
int mcu_srtp_unprotect(struct mcu_srtp *srtp, uint8_t *data, size_t *size);
int mcu_srtp_protect_rtcp(struct mcu_srtp *srtp, uint8_t *data, size_t *size);
int mcu_srtp_unprotect_rtcp(struct mcu_srtp *srtp, uint8_t *data, size_t *size);

#endif
