/* Legs with ports of their own: what epoll tells of them. */
#ifndef MCU_PLANE_PORTS_H
#define MCU_PLANE_PORTS_H

#include "internal.h"

/* What epoll gives back: a leg's handle, or one of these with the number of a shared socket, a
 * listener or a link. */
#define WATCH_RTCP (UINT64_C(1) << 32)
#define WATCH_SHARED (UINT64_C(1) << 33)
#define WATCH_WAKE (UINT64_C(1) << 34)
#define WATCH_LISTENER (UINT64_C(1) << 35)
#define WATCH_LINK (UINT64_C(1) << 36)

int ports_watch(struct mcu_plane *plane, int fd, uint64_t as); /* -1 with errno */
/* Before a leg's sockets are dropped: they may live on in a batch. Locked. */
void ports_unwatch(struct mcu_plane *plane, const struct leg *leg);

#endif
