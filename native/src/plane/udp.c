#include "udp.h"

#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a socket may hold: 100 ms of 1,000 legs, and a burst of strangers beside it. */
#define BUFFER_BYTES (8 << 20)

bool udp_address_from(union udp_address *address, const struct sockaddr *from)
{
    memset(address, 0, sizeof *address);
    if (from->sa_family == AF_INET)
        memcpy(&address->v4, from, sizeof address->v4);
    else if (from->sa_family == AF_INET6)
        memcpy(&address->v6, from, sizeof address->v6);
    else
        return false;
    return true;
}

bool udp_address_equal(const union udp_address *one, const union udp_address *other)
{
    if (one->any.sa_family != other->any.sa_family)
        return false;
    if (one->any.sa_family == AF_INET)
        return one->v4.sin_port == other->v4.sin_port &&
               one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
    return one->v6.sin6_port == other->v6.sin6_port &&
           one->v6.sin6_scope_id == other->v6.sin6_scope_id &&
           memcmp(&one->v6.sin6_addr, &other->v6.sin6_addr, sizeof one->v6.sin6_addr) == 0;
}

uint16_t udp_port(const union udp_address *address)
{
    return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port
                                                   : address->v6.sin6_port);
}

void udp_set_port(union udp_address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET)
        address->v4.sin_port = htons(port);
    else
        address->v6.sin6_port = htons(port);
}

socklen_t udp_address_size(const union udp_address *address)
{
    return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

/* As large as the kernel lets us: past its limit with CAP_NET_ADMIN, else up to it. */
static void set_buffer(int fd, int forced, int wished)
{
    const int bytes = BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) < 0)
        setsockopt(fd, SOL_SOCKET, wished, &bytes, sizeof bytes);
}

static int open_bound(union udp_address *local)
{
    const int fd = socket(local->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    const int on = 1;
    socklen_t size = sizeof *local;
    if ((local->any.sa_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
        bind(fd, &local->any, udp_address_size(local)) < 0 ||
        getsockname(fd, &local->any, &size) < 0) {
        const int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    return fd;
}

struct udp_socket *udp_open(const union udp_address *local)
{
    struct udp_socket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return NULL;
    socket->local = *local;
    atomic_init(&socket->references, 1);
    atomic_init(&socket->refusals, 0);
    socket->fd = open_bound(&socket->local);
    if (socket->fd >= 0)
        return socket;
    const int why = errno;
    free(socket);
    errno = why;
    return NULL;
}

void udp_hold(struct udp_socket *socket)
{
    atomic_fetch_add_explicit(&socket->references, 1, memory_order_relaxed);
}

void udp_drop(struct udp_socket *socket)
{
    if (!socket || atomic_fetch_sub_explicit(&socket->references, 1, memory_order_acq_rel) > 1)
        return;
    close(socket->fd);
    if (socket->link)
        link_free(socket->link);
    free(socket);
}

void udp_inbox_prepare(struct udp_inbox *inbox)
{
    memset(inbox->messages, 0, sizeof inbox->messages);
    for (size_t i = 0; i < UDP_BATCH; i++) {
        inbox->pieces[i] =
            (struct iovec){.iov_base = inbox->bytes[i], .iov_len = MCU_DATAGRAM + 1};
        inbox->messages[i].msg_hdr.msg_name = &inbox->each[i].from;
        inbox->messages[i].msg_hdr.msg_namelen = sizeof inbox->each[i].from;
        inbox->messages[i].msg_hdr.msg_iov = &inbox->pieces[i];
        inbox->messages[i].msg_hdr.msg_iovlen = 1;
        inbox->each[i].data = inbox->bytes[i];
    }
}

size_t udp_receive(struct udp_socket *socket, struct udp_inbox *inbox)
{
    const int got = recvmmsg(socket->fd, inbox->messages, UDP_BATCH, MSG_DONTWAIT, NULL);
    if (got <= 0)
        return 0;
    for (int i = 0; i < got; i++) {
        inbox->each[i].size = inbox->messages[i].msg_len;
        inbox->messages[i].msg_hdr.msg_namelen = sizeof inbox->each[i].from;
    }
    return (size_t)got;
}
