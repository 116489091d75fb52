/* Legs with ports of their own. */
#include "ports.h"

#include "leg.h"
#include "legs.h"
#include "packets.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

static int watch(struct mcu_plane *plane, int operation, int fd, uint32_t events, uint64_t as)
{
    struct epoll_event event = {.events = events, .data.u64 = as};
    return epoll_ctl(plane->epoll, operation, fd, &event);
}

int ports_watch(struct mcu_plane *plane, int fd, uint64_t as)
{
    return watch(plane, EPOLL_CTL_ADD, fd, EPOLLIN, as);
}

/* Told once of what came, and not asked again in the next round whether that was all: there
 * are hundreds of them, with a packet each. */
static int watch_own(struct mcu_plane *plane, int fd, uint64_t as)
{
    return watch(plane, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, as);
}

void ports_watch_again(struct mcu_plane *plane, int fd, uint64_t as)
{
    watch(plane, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET, as);
}

void ports_unwatch(struct mcu_plane *plane, const struct leg *leg)
{
    if (leg->webrtc)
        return;
    epoll_ctl(plane->epoll, EPOLL_CTL_DEL, leg->socket->fd, NULL);
    epoll_ctl(plane->epoll, EPOLL_CTL_DEL, leg->rtcp_socket->fd, NULL);
}

/* RTP on this even port, RTCP on the next. */
static bool open_pair(struct leg *leg, union udp_address local, uint16_t port)
{
    udp_set_port(&local, port);
    leg->socket = udp_open(&local);
    if (!leg->socket)
        return false;
    udp_set_port(&local, (uint16_t)(port + 1));
    leg->rtcp_socket = udp_open(&local);
    if (leg->rtcp_socket)
        return true;
    udp_drop(leg->socket);
    leg->socket = NULL;
    return false;
}

/* Goes round the range once, from where the last search ended: a port rests for as long as it
 * can before it is used again. */
static int open_in_range(struct mcu_plane *plane, struct leg *leg,
                         const union udp_address *local)
{
    const unsigned first = (plane->options.range_first + 1u) & ~1u;
    const unsigned last = plane->options.range_last;
    const unsigned pairs = first && first < last ? (last - first + 1) / 2 : 0;
    for (unsigned i = 0; i < pairs; i++) {
        plane_lock(plane);
        const unsigned pair = plane->range_next++ % pairs;
        plane_unlock(plane);
        if (open_pair(leg, *local, (uint16_t)(first + 2 * pair)))
            return 0;
        if (errno != EADDRINUSE)
            return errno;
    }
    return ENOSPC;
}

static const union udp_address *local_of(const struct mcu_plane *plane, int family)
{
    for (size_t i = 0; i < plane->socket_count; i++)
        if (plane->sockets[i]->local.any.sa_family == family)
            return &plane->sockets[i]->local;
    return NULL;
}

const union udp_address *ports_local(const struct mcu_plane *plane,
                                     const struct sockaddr *address)
{
    union udp_address wanted;
    if (!udp_address_from(&wanted, address))
        return NULL;
    for (size_t i = 0; i < plane->socket_count; i++) {
        const union udp_address *local = &plane->sockets[i]->local;
        udp_set_port(&wanted, udp_port(local));
        if (udp_address_equal(&wanted, local))
            return local;
    }
    return NULL;
}

static int begin(struct mcu_plane *plane, struct leg *leg)
{
    const int handle = leg_begin(plane, leg);
    if (handle < 0)
        return -1;
    if (watch_own(plane, leg->socket->fd, (uint64_t)handle) == 0 &&
        watch_own(plane, leg->rtcp_socket->fd, (uint64_t)handle | WATCH_RTCP) == 0)
        return handle;
    legs_take(plane->legs, leg);
    return -1;
}

int ports_add(struct mcu_plane *plane, const union udp_address *local, uint16_t *rtp_port,
              uint16_t *rtcp_port)
{
    struct leg *leg = local ? leg_new(false) : NULL;
    if (!leg) {
        errno = local ? ENOMEM : EINVAL;
        return -1;
    }
    errno = open_in_range(plane, leg, local);
    int handle = -1;
    if (!errno) {
        *rtp_port = udp_port(&leg->socket->local);
        *rtcp_port = udp_port(&leg->rtcp_socket->local);
        plane_lock(plane);
        handle = begin(plane, leg);
        plane_unlock(plane);
    }
    if (handle < 0) {
        const int why = errno;
        leg_free(leg);
        errno = why;
    }
    return handle;
}

int mcu_plane_add_rtp(struct mcu_plane *plane, int family, uint16_t *rtp_port,
                      uint16_t *rtcp_port)
{
    return ports_add(plane, local_of(plane, family), rtp_port, rtcp_port);
}

bool ports_here(const struct arrival *in, const struct leg *leg, bool rtcp)
{
    return leg->connected &&
           udp_address_equal(rtcp ? &leg->rtcp_remote : &leg->remote, in->from);
}

int mcu_plane_hold(struct mcu_plane *plane, int handle, bool held)
{
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    const int why = !leg ? ENOENT : leg->webrtc ? EINVAL : 0;
    if (!why) {
        leg->held = held;
        leg->authentic_at = plane_now(); /* from now on it is listened for again */
    }
    plane_unlock(plane);
    errno = why;
    return why ? -1 : 0;
}

int mcu_plane_require_keys(struct mcu_plane *plane, int handle)
{
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    if (leg)
        leg->secret = true;
    plane_unlock(plane);
    errno = leg ? 0 : ENOENT;
    return leg ? 0 : -1;
}

int mcu_plane_set_remote(struct mcu_plane *plane, int handle, const struct sockaddr *rtp,
                         const struct sockaddr *rtcp)
{
    union udp_address to, rtcp_to;
    if (!udp_address_from(&to, rtp) || !udp_address_from(&rtcp_to, rtcp ? rtcp : rtp)) {
        errno = EINVAL;
        return -1;
    }
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    int why = leg ? EINVAL : ENOENT;
    if (leg && !leg->webrtc && to.any.sa_family == leg->socket->local.any.sa_family &&
        rtcp_to.any.sa_family == to.any.sa_family) {
        leg->remote = to;
        leg->rtcp_remote = rtcp_to;
        leg->muxed = !rtcp;
        leg->connected = true;
        leg->authentic_at = leg->heard_at = plane_now();
        leg->silent = false;
        receive_early(plane, leg);
        why = 0;
    }
    plane_unlock(plane);
    errno = why;
    return why ? -1 : 0;
}
