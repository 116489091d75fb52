/* The arithmetic is that of the tables of ITU-T G.711; test_g711.py has the tables. */
#include "g711.h"

enum {
    U_BIAS = 132,      /* makes each segment of the mu-law begin at a power of two */
    U_LARGEST = 32635, /* what is louder is this */
    A_EVEN = 0x55      /* the bits that the A-law inverts */
};

/* -- to samples -- */

#define U_BITS(octet) (~(octet)&0xff)
#define U_MAGNITUDE(octet)                                                                    \
    (((((U_BITS(octet) & 15) << 3) + U_BIAS) << (U_BITS(octet) >> 4 & 7)) - U_BIAS)
#define OF_MULAW(octet) (U_BITS(octet) & 0x80 ? -U_MAGNITUDE(octet) : U_MAGNITUDE(octet))

#define A_BITS(octet) ((octet) ^ A_EVEN)
#define A_SEGMENT(octet) (A_BITS(octet) >> 4 & 7)
#define A_STEP(octet) ((A_BITS(octet) & 15) << 4 | 8)
#define A_MAGNITUDE(octet)                                                                    \
    (A_SEGMENT(octet) ? ((A_STEP(octet) + 256) << A_SEGMENT(octet)) >> 1 : A_STEP(octet))
#define OF_ALAW(octet) (A_BITS(octet) & 0x80 ? A_MAGNITUDE(octet) : -A_MAGNITUDE(octet))

#define FOUR(of, octet) of(octet), of((octet) + 1), of((octet) + 2), of((octet) + 3)
#define SIXTEEN(of, octet)                                                                    \
    FOUR(of, octet), FOUR(of, (octet) + 4), FOUR(of, (octet) + 8), FOUR(of, (octet) + 12)
#define SIXTY_FOUR(of, octet)                                                                 \
    SIXTEEN(of, octet), SIXTEEN(of, (octet) + 16), SIXTEEN(of, (octet) + 32),                 \
        SIXTEEN(of, (octet) + 48)
#define ALL(of) SIXTY_FOUR(of, 0), SIXTY_FOUR(of, 64), SIXTY_FOUR(of, 128), SIXTY_FOUR(of, 192)

const int16_t mcu_mulaw[256] = {ALL(OF_MULAW)};
const int16_t mcu_alaw[256] = {ALL(OF_ALAW)};

/* -- from samples -- */

/* Segment 1 begins at 256, the mu-law's with its bias, and each further one at twice that. */
static int segment_of(int magnitude)
{
    return magnitude < 256 ? 0 : 24 - __builtin_clz((unsigned)magnitude);
}

uint8_t mcu_to_mulaw(int16_t sample)
{
    const int loud = sample < 0 ? -sample : sample;
    const int magnitude = (loud < U_LARGEST ? loud : U_LARGEST) + U_BIAS;
    const int segment = segment_of(magnitude);
    const int bits = segment << 4 | (magnitude >> (segment + 3) & 15);
    return (uint8_t) ~(sample < 0 ? bits | 0x80 : bits);
}

uint8_t mcu_to_alaw(int16_t sample)
{
    const int magnitude = sample < 0 ? ~sample : sample; /* no zero: -1 is the first below */
    const int segment = segment_of(magnitude);
    const int bits = segment << 4 | (magnitude >> (segment ? segment + 3 : 4) & 15);
    return (uint8_t)((sample < 0 ? bits : bits | 0x80) ^ A_EVEN);
}
