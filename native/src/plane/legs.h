/* The table of legs: by handle, by the ufrag that checks name, by the address that was proven.
 * All is guarded by the plane's lock. */
#ifndef MCU_PLANE_LEGS_H
#define MCU_PLANE_LEGS_H

#include "internal.h"

#define LEGS_SLICES 20 /* of a second: each leg is looked after in one of them */

struct legs *legs_new(void); /* NULL: no memory */
void legs_free(struct legs *legs);
size_t legs_count(const struct legs *legs);

/* Gives a leg its handle; -1: the table is full. */
int legs_add(struct legs *legs, struct leg *leg);
/* Takes it out of all tables. It is the caller's then. */
void legs_take(struct legs *legs, struct leg *leg);

void legs_name(struct legs *legs, const struct leg *leg, const char *ufrag);
void legs_unname(struct legs *legs, const struct leg *leg, const char *ufrag);
/* The leg that has these credentials of ours, in force or of a restart: which, in
 * *credentials. */
struct leg *legs_named(struct legs *legs, const char *ufrag, size_t size, int *credentials);

/* An authentic check came from there. It is taken from whichever leg had it before. */
void legs_prove(struct legs *legs, struct leg *leg, struct udp_socket *socket,
                const union udp_address *from);
struct leg *legs_proved(struct legs *legs, const struct udp_socket *socket,
                        const union udp_address *from);
/* These senders are soon asked for: the processor is to fetch what legs_proved looks at, of
 * all of them at once, instead of waiting for memory with each. */
void legs_expect(const struct legs *legs, const struct udp_socket *socket,
                 const struct udp_in *each, size_t count);
/* A link is gone: the leg that had it, or NULL. */
struct leg *legs_forget(struct legs *legs, const struct udp_socket *socket,
                        const union udp_address *from);

/* Legs of one slice of a second: as plane_next_leg, with *at = slice to begin. */
struct leg *legs_next_in_slice(struct legs *legs, size_t *at);
/* How many slices after this one is the next that has legs: 1 … LEGS_SLICES; 0: there are no
 * legs. */
unsigned legs_slices_until(const struct legs *legs, unsigned slice);

#endif
