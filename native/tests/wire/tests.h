/* One function for each file of tests, and what they share. */
#ifndef MCU_WIRE_TESTS_H
#define MCU_WIRE_TESTS_H

#include "harness.h"

#include <stddef.h>
#include <stdint.h>

void stun_tests(void);
void demux_tests(void);
void framing_tests(void);
void rtp_tests(void);
void rtcp_tests(void);
void reception_tests(void);
void srtp_tests(void);

/* A copy that ends where its memory ends, so that the sanitizer sees a read beyond. The
 * caller's to free. */
uint8_t *exact(const void *data, size_t size);
/* The same, of noise. */
uint8_t *noise_bytes(size_t size);

#endif
