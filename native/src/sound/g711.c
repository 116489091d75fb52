/* The arithmetic is that of the tables of ITU-T G.711; test_g711.py has the tables. */
#include "g711.h"

enum {
    U_BIAS = 132,      /* makes each segment of the mu-law begin at a power of two */
    U_LARGEST = 32635, /* what is louder is this */
    A_EVEN = 0x55      /* the bits that the A-law inverts */
};

int16_t mcu_of_mulaw(uint8_t octet)
{
    const int bits = ~octet & 0xff;
    const int magnitude = ((((bits & 15) << 3) + U_BIAS) << (bits >> 4 & 7)) - U_BIAS;
    return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}

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

int16_t mcu_of_alaw(uint8_t octet)
{
    const int bits = octet ^ A_EVEN;
    const int segment = bits >> 4 & 7;
    const int step = (bits & 15) << 4 | 8;
    const int magnitude = segment ? (step + 256) << (segment - 1) : step;
    return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}

uint8_t mcu_to_alaw(int16_t sample)
{
    const int magnitude = sample < 0 ? ~sample : sample; /* no zero: -1 is the first below */
    const int segment = segment_of(magnitude);
    const int bits = segment << 4 | (magnitude >> (segment ? segment + 3 : 4) & 15);
    return (uint8_t)((sample < 0 ? bits : bits | 0x80) ^ A_EVEN);
}
