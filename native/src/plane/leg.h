/* A leg's life: made, given its streams and keys, removed. */
#ifndef MCU_PLANE_LEG_H
#define MCU_PLANE_LEG_H

#include "internal.h"

uint32_t leg_random(void);        /* not 0 */
struct leg *leg_new(bool webrtc); /* NULL: no memory */
void leg_free(struct leg *leg);   /* not locked; NULL is nothing */
/* Into the table: its handle, -1 where that is full. Locked. */
int leg_begin(struct mcu_plane *plane, struct leg *leg);

/* Adds what a leg's own parts dropped (hearing, frames), by the plane's reasons. Locked. */
void leg_part_drops(const struct leg *leg, uint64_t drops[MCU_DROPS]);
/* Adds what is counted of a leg's streams. Locked. */
void leg_add_totals(const struct leg *leg, struct totals *totals);
/* Follows how much its streams carry. Each second. Locked. */
void leg_rate(const struct leg *leg, int64_t now);

struct in_stream *
in_stream_new(const struct mcu_stream_options *options); /* NULL: no memory */
void in_stream_free(struct in_stream *stream);
struct out_stream *out_stream_new(const struct mcu_stream_options *options);
/* Gives back its pictures, which other legs have a share in. Locked. */
void out_stream_clear(struct out_stream *stream);
void out_stream_free(struct out_stream *stream);

#endif
