/* The ciphers of SRTP and SRTCP, keyed: what is encrypted, and proved, under one nonce. */
#ifndef MCU_WIRE_SRTP_BOX_H
#define MCU_WIRE_SRTP_BOX_H

#include <mcu/srtp.h>

#include <openssl/evp.h>

enum { BOX_TAG_MAX = 16 };

/* One direction of RTP, or of RTCP. */
struct box {
    bool gcm;
    size_t tag; /* bytes */
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac; /* HMAC-SHA1; NULL with GCM */
    uint8_t salt[14];
};

/* Session keys by RFC 3711 section 4.3 from `key` (master key, then master salt). false: no
 * memory, or the library refuses. */
bool box_open(struct box *box, enum mcu_srtp_profile profile, const uint8_t *key, bool rtcp,
              bool sending);
void box_close(struct box *box);

/* What goes through a box: `head` is proved, and the `body` behind it proved and encrypted, in
 * place. `extra`, proved too, comes behind both (RFC 3711 section 4.2: the counter; RFC 7714
 * section 9: the index of SRTCP). */
struct box_part {
    uint32_t ssrc;
    int64_t index;
    uint8_t *head;
    size_t head_size, body_size;
    const uint8_t *extra;
    size_t extra_size;
};
bool box_seal(struct box *box, const struct box_part *part, uint8_t tag[BOX_TAG_MAX]);
/* false: not authentic; the body may have been overwritten. */
bool box_unseal(struct box *box, const struct box_part *part, const uint8_t *tag);

#endif
