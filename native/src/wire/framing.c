#include <mcu/framing.h>

#include "bytes.h"

#include <mcu/stun.h>

#include <string.h>

/* TLS 1.0 ServerHello as libwebrtc and Chromium compare it, byte for byte: record, handshake
 * header, random, session id, RSA with RC4-128 and MD5, no compression. Nothing is ever
 * encrypted by it. */
const uint8_t mcu_greeted[MCU_GREETED] = {
    0x16, 0x03, 0x01, 0x00, 0x4A, 0x02, 0x00, 0x00, 0x46, 0x03, 0x01, 0x42, 0x85, 0x45,
    0xA7, 0x27, 0xA9, 0x5D, 0xA0, 0xB3, 0xC5, 0xE7, 0x53, 0xDA, 0x48, 0x2B, 0x3F, 0xC6,
    0x5A, 0xCA, 0x89, 0xC1, 0x58, 0x52, 0xA1, 0x78, 0x3C, 0x5B, 0x17, 0x46, 0x00, 0x85,
    0x3F, 0x20, 0x0E, 0xD3, 0x06, 0x72, 0x5B, 0x5B, 0x1B, 0x5F, 0x15, 0xAC, 0x13, 0xF9,
    0x88, 0x53, 0x9D, 0x9B, 0xE8, 0x3D, 0x7B, 0x0C, 0x30, 0x32, 0x6E, 0x38, 0x4D, 0xA2,
    0x75, 0x57, 0x41, 0x6C, 0x34, 0x5C, 0x00, 0x04, 0x00};

/* An SSL 2.0 record of 70 bytes with a ClientHello for TLS 1.0: 45 bytes of ciphers, no
 * session, a challenge of 16 (RFC 5246 appendix E.2). */
static const uint8_t greeting[] = {0x80, 0x46, 0x01, 0x03, 0x01, 0x00,
                                   0x2D, 0x00, 0x00, 0x00, 0x10};

enum mcu_opening mcu_opening(const uint8_t *data, size_t size)
{
    const size_t seen = size < sizeof greeting ? size : sizeof greeting;
    if (size && memcmp(data, greeting, seen) == 0)
        return size < MCU_GREETING ? MCU_OPENS_MORE : MCU_OPENS_GREETING;
    if (size < MCU_FRAME_HEADER)
        return size && data[0] > MCU_STUN_MAX >> 8 ? MCU_OPENS_OTHER : MCU_OPENS_MORE;
    return get16(data) <= MCU_STUN_MAX ? MCU_OPENS_FRAMES : MCU_OPENS_OTHER;
}

int mcu_frame(const uint8_t *data, size_t size, size_t most)
{
    if (size < MCU_FRAME_HEADER)
        return -1;
    const size_t length = get16(data);
    if (length > most)
        return -2;
    return size - MCU_FRAME_HEADER < length ? -1 : (int)length;
}
