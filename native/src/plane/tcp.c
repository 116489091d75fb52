#include "tcp.h"

#include "legs.h"
#include "link.h"
#include "ports.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BACKLOG 128
#define ACCEPTS 64     /* of one listener before others have their turn */
#define REST_US 100000 /* without accepting, where the process has no more descriptors */

struct tcp {
    struct mcu_plane *plane;
    uint16_t port;
    int listeners[PLANE_SOCKETS];
    size_t listener_count;
    int64_t resting_until; /* 0: it listens */
    struct udp_socket *links[TCP_LINKS];
    uint16_t unused[TCP_LINKS];
    size_t unused_count;
    struct links unproved; /* of struct link, the oldest first */
    size_t unproved_count;
};

/* -- listening -- */

static int listen_on(union udp_address local)
{
    const int fd = socket(local.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1, kernel = LINK_KERNEL;
    if (fd < 0)
        return -1;
    if ((local.any.sa_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kernel, sizeof kernel) < 0 ||
        bind(fd, &local.any, udp_address_size(&local)) < 0 || listen(fd, BACKLOG) < 0) {
        const int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static int watch_listeners(struct tcp *tcp)
{
    for (size_t i = 0; i < tcp->listener_count; i++)
        if (ports_watch(tcp->plane, tcp->listeners[i], WATCH_LISTENER | i))
            return -1;
    return 0;
}

static int open_listeners(struct tcp *tcp)
{
    for (size_t i = 0; i < tcp->plane->socket_count; i++) {
        union udp_address local = tcp->plane->sockets[i]->local;
        udp_set_port(&local, tcp->port);
        const int fd = listen_on(local);
        if (fd < 0)
            return -1;
        tcp->listeners[tcp->listener_count++] = fd;
    }
    return watch_listeners(tcp);
}

int tcp_open(struct mcu_plane *plane, uint16_t port)
{
    struct tcp *tcp = calloc(1, sizeof *tcp);
    if (!tcp)
        return -1;
    tcp->plane = plane;
    tcp->port = port;
    list_begin(&tcp->unproved);
    for (uint16_t i = 0; i < TCP_LINKS; i++)
        tcp->unused[tcp->unused_count++] = i;
    plane->tcp = tcp;
    if (open_listeners(tcp) == 0)
        return 0;
    const int why = errno;
    tcp_close(plane);
    errno = why;
    return -1;
}

uint16_t tcp_port(const struct mcu_plane *plane) { return plane->tcp ? plane->tcp->port : 0; }

/* -- those that are not proved, the oldest first -- */

static size_t place_of(const struct link *link) { return link->watch & 0xFFFF; }

/* NULL: there is none. */
static struct udp_socket *oldest(const struct tcp *tcp)
{
    const struct links *first = tcp->unproved.after;
    return first == &tcp->unproved ? NULL : tcp->links[place_of((const struct link *)first)];
}

static void queue(struct link *link, int64_t now)
{
    link->since = now;
    list_add(&link->tcp->unproved, &link->unproved);
    link->tcp->unproved_count++;
}

static void unqueue(struct link *link)
{
    list_remove(&link->unproved);
    link->tcp->unproved_count--;
}

void tcp_proved(struct udp_socket *socket)
{
    struct link *link = socket->link;
    if (!link || link->proved)
        return;
    link->proved = link->known = true;
    unqueue(link);
}

void tcp_unproved(struct udp_socket *socket)
{
    struct link *link = socket->link;
    if (!link || !link->proved)
        return;
    link->proved = false;
    queue(link, plane_now());
}

/* -- the end of one -- */

/* Out of all tables. A leg that is still sent to by it holds a reference. */
static void forget(struct udp_socket *socket)
{
    struct link *link = socket->link;
    struct mcu_plane *plane = link->tcp->plane;
    struct leg *leg = legs_forget(plane->legs, socket, &link->peer);
    link_end(socket, LINK_ENDED);
    if (atomic_load(&link->end) == LINK_SLOW)
        plane_drop(plane, leg, MCU_DROP_SLOW);
    else if (!link->known)
        plane_drop(plane, NULL, MCU_DROP_CONNECTION);
    unqueue(link);
    epoll_ctl(plane->epoll, EPOLL_CTL_DEL, socket->fd, NULL);
    link->tcp->links[place_of(link)] = NULL;
    link->tcp->unused[link->tcp->unused_count++] = (uint16_t)place_of(link);
    udp_drop(socket);
}

void tcp_close(struct mcu_plane *plane)
{
    struct tcp *tcp = plane->tcp;
    if (!tcp)
        return;
    for (size_t i = 0; i < TCP_LINKS; i++)
        if (tcp->links[i])
            forget(tcp->links[i]);
    while (tcp->listener_count)
        close(tcp->listeners[--tcp->listener_count]);
    free(tcp);
    plane->tcp = NULL;
}

/* -- accepting -- */

/* Takes over the fd and its reference. */
static void begin(struct tcp *tcp, struct udp_socket *socket, int64_t now)
{
    struct link *link = socket->link;
    struct udp_socket *const first = oldest(tcp);
    if (first && (tcp->unproved_count >= TCP_UNPROVED || !tcp->unused_count))
        forget(first);
    if (!tcp->unused_count) {
        plane_drop(tcp->plane, NULL, MCU_DROP_CONNECTION);
        udp_drop(socket);
        return;
    }
    const uint16_t place = tcp->unused[--tcp->unused_count];
    tcp->links[place] = socket;
    link->tcp = tcp;
    link->epoll = tcp->plane->epoll;
    link->watch = WATCH_LINK | place;
    queue(link, now);
    if (ports_watch(tcp->plane, socket->fd, link->watch))
        forget(socket);
}

/* No descriptor is left: the oldest that is not proved yields its own. Where there is none,
 * nobody is let in for a while, or epoll would tell of it without end. */
static bool yields(struct tcp *tcp, int64_t now)
{
    struct udp_socket *const first = oldest(tcp);
    if (first) {
        forget(first);
        return true;
    }
    for (size_t i = 0; i < tcp->listener_count; i++)
        epoll_ctl(tcp->plane->epoll, EPOLL_CTL_DEL, tcp->listeners[i], NULL);
    tcp->resting_until = now + REST_US;
    return false;
}

/* false: nobody more waits to be let in. */
static bool accept_one(struct tcp *tcp, size_t listener, int64_t now)
{
    union udp_address peer = {0};
    socklen_t size = sizeof peer;
    const int on = 1;
    const int fd =
        accept4(tcp->listeners[listener], &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                   ? yields(tcp, now)
                   : errno == ECONNABORTED || errno == EINTR;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct udp_socket *socket = link_new(fd, &peer);
    if (socket)
        begin(tcp, socket, now);
    return true;
}

void tcp_accept(struct mcu_plane *plane, size_t listener, int64_t now)
{
    plane_lock(plane);
    for (int i = 0; i < ACCEPTS && accept_one(plane->tcp, listener, now); i++)
        ;
    plane_unlock(plane);
}

/* -- looking after them -- */

struct udp_socket *tcp_socket(struct mcu_plane *plane, size_t place)
{
    struct udp_socket *socket = plane->tcp->links[place];
    if (socket)
        udp_hold(socket);
    return socket;
}

bool tcp_keeps(struct mcu_plane *plane, struct udp_socket *socket)
{
    const struct link *link = socket->link;
    const bool talks = !link->known && link->taken > TCP_UNPROVED_BYTES;
    if (!talks && !link_gone(socket))
        return true;
    if (plane->tcp->links[place_of(link)] == socket)
        forget(socket);
    return false;
}

void tcp_look_after(struct mcu_plane *plane, int64_t now)
{
    struct tcp *tcp = plane->tcp;
    if (!tcp)
        return;
    struct udp_socket *first;
    while ((first = oldest(tcp)) && now - first->link->since >= TCP_UNPROVED_US)
        forget(first);
    if (tcp->resting_until && now >= tcp->resting_until) {
        tcp->resting_until = 0;
        watch_listeners(tcp);
    }
}

int64_t tcp_wake(const struct mcu_plane *plane)
{
    const struct tcp *tcp = plane->tcp;
    if (!tcp)
        return INT64_MAX;
    if (tcp->resting_until)
        return tcp->resting_until;
    const struct udp_socket *first = oldest(tcp);
    return first ? first->link->since + TCP_UNPROVED_US : INT64_MAX;
}
