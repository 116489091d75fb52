#include "bytes.h"
#include "stun_message.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>

/* CRC-32 of ITU-T V.42, four bits a step: a message is a hundred bytes. */
uint32_t stun_fingerprint(const uint8_t *data, size_t size)
{
    static const uint32_t steps[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
                                       0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                                       0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = 0xFFFFFFFF;
    for (size_t at = 0; at < size; at++) {
        crc ^= data[at];
        crc = crc >> 4 ^ steps[crc & 15];
        crc = crc >> 4 ^ steps[crc & 15];
    }
    return ~crc ^ 0x5354554E;
}

/* One HMAC-SHA1 for all: to fetch it anew for each message costs more than to compute it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MAC_CTX *hmac;

static void fetch(void)
{
    char digest[] = "SHA1";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    hmac = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); /* the context holds it */
    if (hmac && !EVP_MAC_CTX_set_params(hmac, parameters)) {
        EVP_MAC_CTX_free(hmac);
        hmac = NULL;
    }
}

bool stun_integrity(uint8_t digest[STUN_DIGEST], const uint8_t *data, size_t size,
                    const char *password, size_t password_size)
{
    uint8_t head[4] = {data[0], data[1]};
    put16(head + 2, (uint32_t)(size + STUN_ATTRIBUTE + STUN_DIGEST - STUN_HEADER));
    size_t written = 0;
    pthread_once(&once, fetch);
    if (!hmac)
        return false;
    pthread_mutex_lock(&lock);
    const bool done =
        EVP_MAC_init(hmac, (const unsigned char *)password, password_size, NULL) &&
        EVP_MAC_update(hmac, head, sizeof head) &&
        EVP_MAC_update(hmac, data + sizeof head, size - sizeof head) &&
        EVP_MAC_final(hmac, digest, &written, STUN_DIGEST);
    pthread_mutex_unlock(&lock);
    return done && written == STUN_DIGEST;
}
