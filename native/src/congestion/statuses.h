/* What writing and reading of transport-wide feedback share. */
#ifndef MCU_CONGESTION_STATUSES_H
#define MCU_CONGESTION_STATUSES_H

enum {
    ABSENT = 0, /* section 3.1.1: the two-bit symbols */
    SMALL = 1,  /* a delta of one byte */
    LARGE = 2,  /* a delta of two bytes, signed */

    FIXED = 8,       /* base, count, reference time, number of the report */
    RUN_MOST = 8191, /* 13 bits */
    ONE_BIT = 14,    /* statuses in a vector of one-bit symbols */
    TWO_BIT = 7,     /* of two-bit ones */
    DELTA_US = 250,  /* unit of a delta */
    REFERENCE_US = 64000,
};

#endif
