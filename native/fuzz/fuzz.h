/* What the fuzz targets share. */
#ifndef MCU_FUZZ_H
#define MCU_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* A property that holds for any input: where it does not, the target fails. */
#define HOLDS(property)                                                                       \
    do {                                                                                      \
        if (!(property))                                                                      \
            abort();                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
