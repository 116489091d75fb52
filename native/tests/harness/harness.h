/* The harness of the C tests: checks that name the seed which repeats them, and noise. */
#ifndef MCU_TESTS_HARNESS_H
#define MCU_TESTS_HARNESS_H

#include <stdint.h>

#define CHECK(condition)                                                                      \
    do {                                                                                      \
        if (!(condition))                                                                     \
            failed(__FILE__, __LINE__, #condition);                                           \
    } while (0)

/* Counts a failure and prints the seed that repeats it. */
void failed(const char *file, int line, const char *what);

extern unsigned failures;

/* A stream of numbers, the same from the same seed. */
void seed(uint32_t value);
uint32_t noise(void);
int between(int least, int most);

/* Runs a test and prints its name, a sentence, and whether it holds. */
#define TEST(function) run_test(#function, function)
void run_test(const char *name, void (*test)(void));

#endif
