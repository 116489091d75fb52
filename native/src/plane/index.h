/* From a hash to the handles of legs: open addressing, the same hash may be in it many times.
 * Keys are not kept: whoever looks up compares. Not thread-safe. */
#ifndef MCU_PLANE_INDEX_H
#define MCU_PLANE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define INDEX_SLOTS 65536 /* a power of two, twice what is ever in it */

struct index {
    uint64_t seed; /* random: who chooses addresses cannot choose where they collide */
    struct {
        uint64_t hash;
        int leg; /* 0: empty */
    } slots[INDEX_SLOTS];
};
uint64_t index_hash(const struct index *index, const void *key, size_t size);
void index_add(struct index *index, uint64_t hash, int leg);
void index_remove(struct index *index, uint64_t hash, int leg);
/* This hash is soon looked for: the processor is to fetch where it would be. */
void index_expect(const struct index *index, uint64_t hash);
/* The next leg under this hash, 0: no more. `*at` is SIZE_MAX to begin. */
int index_find(const struct index *index, uint64_t hash, size_t *at);

#endif
