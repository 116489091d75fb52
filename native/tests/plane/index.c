#include "../../src/plane/index.h"

#include "harness.h"
#include "tests.h"

#include <stdbool.h>
#include <stdlib.h>

#define FEW 400 /* hashes, each in a place near to others' */

static bool has(const struct index *index, uint64_t hash, int leg)
{
    size_t at = SIZE_MAX;
    for (int found; (found = index_find(index, hash, &at)) != 0;)
        if (found == leg)
            return true;
    return false;
}

static void whatever_is_added_and_removed_the_rest_is_found(void)
{
    struct index *index = calloc(1, sizeof *index);
    static bool in[FEW];
    for (int step = 0; step < 20000; step++) {
        const int which = between(0, FEW - 1);
        /* near the end of the table too, where places go round */
        const uint64_t hash = (uint64_t)(which % 40) + INDEX_SLOTS - 20;
        if (in[which])
            index_remove(index, hash, which + 1);
        else
            index_add(index, hash, which + 1);
        in[which] = !in[which];
        const int other = between(0, FEW - 1);
        CHECK(has(index, (uint64_t)(other % 40) + INDEX_SLOTS - 20, other + 1) == in[other]);
    }
    free(index);
}

void index_tests(void) { TEST(whatever_is_added_and_removed_the_rest_is_found); }
