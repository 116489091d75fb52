#include "index.h"

#include <stdbool.h>
#include <string.h>

static uint64_t mixed(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    return value ^ value >> 32;
}

uint64_t index_hash(const struct index *index, const void *key, size_t size)
{
    const uint8_t *bytes = key;
    uint64_t hash = index->seed;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = mixed(hash ^ word);
    }
    uint64_t rest = size;
    for (; size; size--)
        rest = rest << 8 | bytes[size - 1];
    return mixed(hash ^ rest);
}

static size_t slot_of(uint64_t hash) { return hash & (INDEX_SLOTS - 1); }

void index_add(struct index *index, uint64_t hash, int leg)
{
    size_t at = slot_of(hash);
    while (index->slots[at].leg)
        at = (at + 1) & (INDEX_SLOTS - 1);
    index->slots[at].hash = hash;
    index->slots[at].leg = leg;
}

void index_expect(const struct index *index, uint64_t hash)
{
    __builtin_prefetch(&index->slots[slot_of(hash)]);
}

int index_find(const struct index *index, uint64_t hash, size_t *at)
{
    *at = *at == SIZE_MAX ? slot_of(hash) : (*at + 1) & (INDEX_SLOTS - 1);
    for (; index->slots[*at].leg; *at = (*at + 1) & (INDEX_SLOTS - 1))
        if (index->slots[*at].hash == hash)
            return index->slots[*at].leg;
    return 0;
}

/* Whether what belongs at `home` and lies at `at` can be found when `hole` becomes empty. */
static bool reachable(size_t home, size_t hole, size_t at)
{
    return hole < at ? home > hole && home <= at : home > hole || home <= at;
}

void index_remove(struct index *index, uint64_t hash, int leg)
{
    size_t at = SIZE_MAX;
    for (int found; (found = index_find(index, hash, &at)) != leg;)
        if (!found)
            return;
    size_t hole = at;
    for (;;) { /* what comes after is moved up, so that no probing ends too early */
        at = (at + 1) & (INDEX_SLOTS - 1);
        if (!index->slots[at].leg)
            break;
        if (!reachable(slot_of(index->slots[at].hash), hole, at)) {
            index->slots[hole] = index->slots[at];
            hole = at;
        }
    }
    index->slots[hole].leg = 0;
}
