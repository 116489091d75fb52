/* SRTP and SRTCP (RFC 3711, RFC 7714) by libsrtp2: one direction each, keys from DTLS or SDES.
 * Not thread-safe: the leg that owns it is locked by whoever calls. */
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
#define MCU_SRTP_TRAILER 32 /* bytes that protecting adds at most, SRTCP's index included */

/* Bytes of master key and master salt together: 44, 28, 46, 30. */
size_t mcu_srtp_key_size(enum mcu_srtp_profile profile);

struct mcu_srtp; /* one direction */

/* NULL where the library refuses the key or memory ran out. `key`: master key, then master
 * salt. Call once at first from one thread. The replay window is 1,024 packets. */
struct mcu_srtp *mcu_srtp_new(enum mcu_srtp_profile profile, const uint8_t *key, bool sending);
void mcu_srtp_free(struct mcu_srtp *srtp);

/* In place. `*size` becomes the new size; `data` has MCU_SRTP_TRAILER bytes to spare when
 * protecting. 0, or -1: the packet is not authentic, was seen before, or is malformed; then
 * `data` may have been overwritten. */
int mcu_srtp_protect(struct mcu_srtp *srtp, uint8_t *data, size_t *size);
int mcu_srtp_unprotect(struct mcu_srtp *srtp, uint8_t *data, size_t *size);
int mcu_srtp_protect_rtcp(struct mcu_srtp *srtp, uint8_t *data, size_t *size);
int mcu_srtp_unprotect_rtcp(struct mcu_srtp *srtp, uint8_t *data, size_t *size);

/* The rollover counter of a receiving stream, kept right by the caller while it skips packets:
 * `index` is the extended sequence number (roc * 65536 + sequence) of the next packet that
 * will be unprotected. Without it, more than 2^15 skipped packets would be read with a wrong
 * counter. Packets that were skipped stay refused when they come again within the window, if
 * unprotected out of order. */
void mcu_srtp_skipped_to(struct mcu_srtp *srtp, uint32_t ssrc, int64_t index);

#endif
