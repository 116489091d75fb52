#include "harness.h"

#include <stdio.h>

unsigned failures;
static uint32_t state = 1, started_with;

void failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: seed %u: %s\n", file, line, started_with, what);
    failures++;
}

void seed(uint32_t value)
{
    started_with = value;
    state = value * 2654435761u + 1;
}

/* xorshift32 */
uint32_t noise(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

int between(int least, int most)
{
    return least + (int)(noise() % (uint32_t)(most - least + 1));
}

void run_test(const char *name, void (*test)(void))
{
    const unsigned before = failures;
    seed(1);
    test();
    printf("%-8s %s\n", failures == before ? "ok" : "FAILED", name);
}
