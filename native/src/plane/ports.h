/* Legs with ports of their own: what epoll tells of them. */
#ifndef MCU_PLANE_PORTS_H
#define MCU_PLANE_PORTS_H

#include "packets.h"

/* What epoll gives back: a leg's handle, or one of these with the number of a shared socket, a
 * listener or a link. */
#define WATCH_RTCP (UINT64_C(1) << 32)
#define WATCH_SHARED (UINT64_C(1) << 33)
#define WATCH_WAKE (UINT64_C(1) << 34)
#define WATCH_LISTENER (UINT64_C(1) << 35)
#define WATCH_LINK (UINT64_C(1) << 36)

int ports_watch(struct mcu_plane *plane, int fd, uint64_t as); /* -1 with errno */
/* There may be more on a leg's own socket than was read: it is told of again. */
void ports_watch_again(struct mcu_plane *plane, int fd, uint64_t as);
/* Before a leg's sockets are dropped: they may live on in a batch. Locked. */
void ports_unwatch(struct mcu_plane *plane, const struct leg *leg);

/* The plane's own address that is this one, whatever its port; NULL: there is none. */
const union udp_address *ports_local(const struct mcu_plane *plane,
                                     const struct sockaddr *address);
/* A leg on a free pair of ports there; as mcu_plane_add_rtp. NULL is EINVAL. Not locked. */
int ports_add(struct mcu_plane *plane, const union udp_address *local, uint16_t *rtp_port,
              uint16_t *rtcp_port);

/* Whether it is from where the leg is. Locked. */
bool ports_here(const struct arrival *in, const struct leg *leg, bool rtcp);
#endif
