#include "legs.h"

#include "index.h"
#include "tcp.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define GENERATIONS (INT32_MAX / MCU_PLANE_LEGS) /* of handles in one place of the table */

struct legs {
    struct leg *at[MCU_PLANE_LEGS];
    int generation[MCU_PLANE_LEGS];
    uint16_t unused[MCU_PLANE_LEGS]; /* a ring: the place that is free for longest is taken */
    size_t unused_first, unused_count;
    size_t count, end; /* end: no leg is in a place from here on */
    unsigned in_slice[LEGS_SLICES];
    struct index names, addresses;
};

struct legs *legs_new(void)
{
    struct legs *legs = calloc(1, sizeof *legs);
    uint64_t seeds[2];
    if (!legs || getrandom(seeds, sizeof seeds, 0) != sizeof seeds) {
        free(legs);
        return NULL;
    }
    legs->names.seed = seeds[0];
    legs->addresses.seed = seeds[1];
    for (uint16_t i = 0; i < MCU_PLANE_LEGS; i++)
        legs->unused[i] = i;
    legs->unused_count = MCU_PLANE_LEGS;
    return legs;
}

void legs_free(struct legs *legs) { free(legs); }

size_t legs_count(const struct legs *legs) { return legs->count; }

int legs_add(struct legs *legs, struct leg *leg)
{
    if (!legs->unused_count)
        return -1;
    const size_t place = legs->unused[legs->unused_first];
    legs->unused_first = (legs->unused_first + 1) % MCU_PLANE_LEGS;
    legs->unused_count--;
    leg->handle = ++legs->generation[place] * MCU_PLANE_LEGS + (int)place;
    legs->at[place] = leg;
    legs->count++;
    legs->in_slice[place % LEGS_SLICES]++;
    if (place >= legs->end)
        legs->end = place + 1;
    return leg->handle;
}

static struct leg *leg_of(const struct legs *legs, int handle)
{
    struct leg *leg = handle > 0 ? legs->at[handle % MCU_PLANE_LEGS] : NULL;
    return leg && leg->handle == handle ? leg : NULL;
}

struct leg *plane_leg(struct mcu_plane *plane, int handle)
{
    return leg_of(plane->legs, handle);
}

static struct leg *next_of(const struct legs *legs, size_t *at, size_t step)
{
    for (; *at < legs->end; *at += step)
        if (legs->at[*at]) {
            struct leg *leg = legs->at[*at];
            *at += step;
            return leg;
        }
    return NULL;
}

struct leg *plane_next_leg(struct mcu_plane *plane, size_t *at)
{
    return next_of(plane->legs, at, 1);
}

struct leg *legs_next_in_slice(struct legs *legs, size_t *at)
{
    return next_of(legs, at, LEGS_SLICES);
}

unsigned legs_slices_until(const struct legs *legs, unsigned slice)
{
    for (unsigned after = 1; after <= LEGS_SLICES; after++)
        if (legs->in_slice[(slice + after) % LEGS_SLICES])
            return after;
    return 0;
}

/* -- by ufrag -- */

void legs_name(struct legs *legs, const struct leg *leg, const char *ufrag)
{
    index_add(&legs->names, index_hash(&legs->names, ufrag, strlen(ufrag)), leg->handle);
}

void legs_unname(struct legs *legs, const struct leg *leg, const char *ufrag)
{
    index_remove(&legs->names, index_hash(&legs->names, ufrag, strlen(ufrag)), leg->handle);
}

struct leg *legs_named(struct legs *legs, const char *ufrag, size_t size, int *credentials)
{
    const uint64_t hash = index_hash(&legs->names, ufrag, size);
    size_t at = SIZE_MAX;
    for (int handle; (handle = index_find(&legs->names, hash, &at)) != 0;) {
        struct leg *leg = leg_of(legs, handle);
        for (int i = 0; i < 2; i++)
            if (strlen(leg->ice[i].ufrag) == size &&
                memcmp(leg->ice[i].ufrag, ufrag, size) == 0) {
                *credentials = i;
                return leg;
            }
    }
    return NULL;
}

/* -- by address -- */

static uint64_t address_hash(const struct legs *legs, const struct udp_socket *socket,
                             const union udp_address *from)
{
    struct {
        uint64_t socket;
        uint8_t address[16];
        uint32_t port, scope;
    } key = {.socket = (uintptr_t)socket, .port = udp_port(from)};
    if (from->any.sa_family == AF_INET) {
        memcpy(key.address, &from->v4.sin_addr, sizeof from->v4.sin_addr);
    } else {
        memcpy(key.address, &from->v6.sin6_addr, sizeof from->v6.sin6_addr);
        key.scope = from->v6.sin6_scope_id;
    }
    return index_hash(&legs->addresses, &key, sizeof key);
}

static int place_of(const struct leg *leg, const struct udp_socket *socket,
                    const union udp_address *from)
{
    for (int i = 0; i < PROVEN; i++)
        if (leg->proven[i].socket == socket &&
            udp_address_equal(&leg->proven[i].address, from))
            return i;
    return -1;
}

struct leg *legs_proved(struct legs *legs, const struct udp_socket *socket,
                        const union udp_address *from)
{
    const uint64_t hash = address_hash(legs, socket, from);
    size_t at = SIZE_MAX;
    for (int handle; (handle = index_find(&legs->addresses, hash, &at)) != 0;) {
        struct leg *leg = leg_of(legs, handle);
        if (place_of(leg, socket, from) >= 0)
            return leg;
    }
    return NULL;
}

void legs_expect(const struct legs *legs, const struct udp_socket *socket,
                 const struct udp_in *each, size_t count)
{
    uint64_t hashes[UDP_BATCH];
    for (size_t i = 0; i < count; i++) {
        hashes[i] = address_hash(legs, socket, &each[i].from);
        index_expect(&legs->addresses, hashes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = SIZE_MAX;
        const struct leg *leg = leg_of(legs, index_find(&legs->addresses, hashes[i], &at));
        if (!leg)
            continue;
        __builtin_prefetch(leg->proven);
        __builtin_prefetch(&leg->receiving);
    }
}

static void unprove(struct legs *legs, struct leg *leg, int place)
{
    struct proven *proven = &leg->proven[place];
    if (!proven->socket)
        return;
    index_remove(&legs->addresses, address_hash(legs, proven->socket, &proven->address),
                 leg->handle);
    tcp_unproved(proven->socket);
    proven->socket = NULL;
}

struct leg *legs_forget(struct legs *legs, const struct udp_socket *socket,
                        const union udp_address *from)
{
    struct leg *leg = legs_proved(legs, socket, from);
    if (leg)
        unprove(legs, leg, place_of(leg, socket, from));
    return leg;
}

void legs_prove(struct legs *legs, struct leg *leg, struct udp_socket *socket,
                const union udp_address *from)
{
    struct leg *before = legs_proved(legs, socket, from);
    if (before == leg)
        return;
    if (before)
        unprove(legs, before, place_of(before, socket, from));
    int place = (int)(leg->proven_next++ % PROVEN);
    if (leg->socket == leg->proven[place].socket &&
        udp_address_equal(&leg->remote, &leg->proven[place].address))
        place = (int)(leg->proven_next++ % PROVEN); /* where it is now stays proven */
    unprove(legs, leg, place);
    leg->proven[place] = (struct proven){.socket = socket, .address = *from};
    tcp_proved(socket);
    index_add(&legs->addresses, address_hash(legs, socket, from), leg->handle);
}

/* -- the end -- */

void legs_take(struct legs *legs, struct leg *leg)
{
    const size_t place = (size_t)(leg->handle % MCU_PLANE_LEGS);
    for (int i = 0; i < 2; i++)
        if (leg->ice[i].ufrag[0])
            legs_unname(legs, leg, leg->ice[i].ufrag);
    for (int i = 0; i < PROVEN; i++)
        unprove(legs, leg, i);
    legs->at[place] = NULL;
    legs->count--;
    legs->in_slice[place % LEGS_SLICES]--;
    if (legs->generation[place] < GENERATIONS - 1) /* else its handles are used up */
        legs->unused[(legs->unused_first + legs->unused_count++) % MCU_PLANE_LEGS] =
            (uint16_t)place;
}
