#include "srtp_box.h"

#include "bytes.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <string.h>

enum { SHA1_KEY = 20, SHA1_TAG = 10, GCM_TAG = 16, KEY_MAX = 32 };

struct shape { /* of a profile */
    bool gcm;
    size_t key, salt;
};
static const struct shape shapes[MCU_SRTP_PROFILES] = {
    [MCU_SRTP_AEAD_AES_256_GCM] = {true, 32, 12},
    [MCU_SRTP_AEAD_AES_128_GCM] = {true, 16, 12},
    [MCU_SRTP_AES256_CM_SHA1_80] = {false, 32, 14},
    [MCU_SRTP_AES128_CM_SHA1_80] = {false, 16, 14},
};

size_t mcu_srtp_key_size(enum mcu_srtp_profile profile)
{
    return shapes[profile].key + shapes[profile].salt;
}

/* -- keys -- */

static const EVP_CIPHER *counter_mode(size_t key)
{
    return key == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
}

/* RFC 3711 section 4.3.1, RFC 6188 section 3: the key stream that begins at label and salt. A
 * salt of 96 bits is followed by zeros, RFC 7714 section 11. */
static bool derive(const struct shape *shape, const uint8_t *key, uint8_t label, uint8_t *out,
                   size_t size)
{
    uint8_t iv[16] = {0};
    int made = 0;
    memcpy(iv, key + shape->key, shape->salt);
    iv[7] ^= label;
    memset(out, 0, size);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const bool well = context &&
                      EVP_EncryptInit_ex(context, counter_mode(shape->key), NULL, key, iv) &&
                      EVP_EncryptUpdate(context, out, &made, out, (int)size);
    EVP_CIPHER_CTX_free(context);
    return well;
}

static bool key_cipher(struct box *box, const struct shape *shape, const uint8_t *key,
                       bool sending)
{
    const EVP_CIPHER *gcm = shape->key == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    box->cipher = EVP_CIPHER_CTX_new();
    return box->cipher &&
           EVP_CipherInit_ex(box->cipher, box->gcm ? gcm : counter_mode(shape->key), NULL, key,
                             NULL, sending);
}

static bool key_mac(struct box *box, const uint8_t *key)
{
    char digest[] = "SHA1";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    box->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    return box->mac && EVP_MAC_init(box->mac, key, SHA1_KEY, parameters);
}

bool box_open(struct box *box, enum mcu_srtp_profile profile, const uint8_t *key, bool rtcp,
              bool sending)
{
    const struct shape *shape = &shapes[profile];
    const uint8_t label = rtcp ? 3 : 0;
    uint8_t session[KEY_MAX], mac[SHA1_KEY];
    box->gcm = shape->gcm;
    box->tag = shape->gcm ? GCM_TAG : SHA1_TAG;
    const bool well =
        derive(shape, key, label, session, shape->key) &&
        derive(shape, key, label + 2, box->salt, shape->salt) &&
        key_cipher(box, shape, session, sending) &&
        (box->gcm || (derive(shape, key, label + 1, mac, sizeof mac) && key_mac(box, mac)));
    OPENSSL_cleanse(session, sizeof session);
    OPENSSL_cleanse(mac, sizeof mac);
    return well;
}

void box_close(struct box *box)
{
    EVP_CIPHER_CTX_free(box->cipher);
    EVP_MAC_CTX_free(box->mac);
    OPENSSL_cleanse(box, sizeof *box);
}

/* -- what is done for each packet -- */

/* RFC 3711 section 4.1.1 and RFC 7714 sections 8.1 and 9.1: SSRC and index of 48 bits, before
 * the two bytes that count blocks in counter mode, at the end in GCM. */
static bool set_nonce(struct box *box, const struct box_part *part)
{
    uint8_t iv[16] = {0};
    uint8_t *at = iv + (box->gcm ? 2 : 4);
    put32(at, part->ssrc);
    put16(at + 4, (uint32_t)(part->index >> 32));
    put32(at + 6, (uint32_t)part->index);
    for (size_t i = 0; i < sizeof box->salt; i++)
        iv[i] ^= box->salt[i];
    return EVP_CipherInit_ex(box->cipher, NULL, NULL, NULL, iv, -1);
}

static bool crypt_body(struct box *box, const struct box_part *part)
{
    uint8_t *body = part->head + part->head_size;
    int made;
    return !part->body_size ||
           EVP_CipherUpdate(box->cipher, body, &made, body, (int)part->body_size);
}

static bool prove_clear(struct box *box, const uint8_t *data, size_t size)
{
    int made;
    return !size || EVP_CipherUpdate(box->cipher, NULL, &made, data, (int)size);
}

static bool crypt_gcm(struct box *box, const struct box_part *part)
{
    return set_nonce(box, part) && prove_clear(box, part->head, part->head_size) &&
           prove_clear(box, part->extra, part->extra_size) && crypt_body(box, part);
}

static bool digest(struct box *box, const struct box_part *part, uint8_t out[SHA1_KEY])
{
    size_t made;
    return EVP_MAC_init(box->mac, NULL, 0, NULL) &&
           EVP_MAC_update(box->mac, part->head, part->head_size + part->body_size) &&
           EVP_MAC_update(box->mac, part->extra, part->extra_size) &&
           EVP_MAC_final(box->mac, out, &made, SHA1_KEY);
}

bool box_seal(struct box *box, const struct box_part *part, uint8_t tag[BOX_TAG_MAX])
{
    int made;
    if (box->gcm)
        return crypt_gcm(box, part) && EVP_EncryptFinal_ex(box->cipher, tag, &made) &&
               EVP_CIPHER_CTX_ctrl(box->cipher, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, tag);
    uint8_t whole[SHA1_KEY];
    if (!set_nonce(box, part) || !crypt_body(box, part) || !digest(box, part, whole))
        return false;
    memcpy(tag, whole, SHA1_TAG);
    return true;
}

bool box_unseal(struct box *box, const struct box_part *part, const uint8_t *tag)
{
    uint8_t whole[SHA1_KEY];
    int made;
    if (!box->gcm)
        return digest(box, part, whole) && CRYPTO_memcmp(whole, tag, SHA1_TAG) == 0 &&
               set_nonce(box, part) && crypt_body(box, part);
    memcpy(whole, tag, GCM_TAG);
    return crypt_gcm(box, part) &&
           EVP_CIPHER_CTX_ctrl(box->cipher, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, whole) &&
           EVP_DecryptFinal_ex(box->cipher, whole, &made);
}
