/* The streams of video that have something to do although nothing comes: a packet to ask for
 * again, a key frame. Guarded by the plane's lock. */
#ifndef MCU_PLANE_WAITING_H
#define MCU_PLANE_WAITING_H

#include "internal.h"

void waiting_set(struct mcu_plane *plane, struct in_stream *stream, bool waits);
/* When the first of them is due; INT64_MAX: there is none. */
int64_t waiting_wake(const struct mcu_plane *plane);

#endif
