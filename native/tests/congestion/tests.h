/* One function for each file of tests. */
#ifndef MCU_CONGESTION_TESTS_H
#define MCU_CONGESTION_TESTS_H

#include "harness.h"

void feedback_tests(void);
void estimate_tests(void);
void blind_tests(void);

#endif
