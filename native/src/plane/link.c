#include "link.h"

#include "lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct udp_socket *link_new(int fd, const union udp_address *peer)
{
    struct udp_socket *socket = calloc(1, sizeof *socket);
    struct link *link = socket ? calloc(1, sizeof *link) : NULL;
    if (!link) {
        free(socket);
        close(fd);
        return NULL;
    }
    socket->fd = fd;
    socket->link = link;
    atomic_init(&socket->references, 1);
    atomic_init(&socket->refusals, 0);
    atomic_init(&link->end, LINK_OPEN);
    link->peer = *peer;
    lock_begin(&link->lock);
    return socket;
}

void link_free(struct link *link)
{
    pthread_mutex_destroy(&link->lock);
    free(link->waiting);
    free(link);
}

bool link_make_room(struct udp_socket *socket)
{
    struct link *link = socket->link;
    pthread_mutex_lock(&link->lock);
    if (!link->waiting) /* its pages are the kernel's until something waits */
        link->waiting = malloc(LINK_WAITING);
    const bool has = link->waiting != NULL;
    pthread_mutex_unlock(&link->lock);
    return has;
}

void link_end(struct udp_socket *socket, enum link_end why)
{
    int open = LINK_OPEN;
    if (atomic_compare_exchange_strong(&socket->link->end, &open, (int)why))
        shutdown(socket->fd, SHUT_RDWR);
}

bool link_gone(const struct udp_socket *socket)
{
    return socket->link && atomic_load(&socket->link->end) != LINK_OPEN;
}

/* -- sending -- */

/* Locked, as all below. What the kernel takes of these pieces: 0 where it takes nothing. */
static size_t give(struct udp_socket *socket, struct iovec *pieces, size_t count)
{
    const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    const ssize_t went = sendmsg(socket->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (went < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
        link_end(socket, LINK_ENDED);
    return went > 0 ? (size_t)went : 0;
}

static void drain(struct udp_socket *socket)
{
    struct link *link = socket->link;
    const size_t ahead = LINK_WAITING - link->first; /* before the ring's end */
    struct iovec pieces[2] = {{.iov_base = link->waiting + link->first, .iov_len = ahead},
                              {.iov_base = link->waiting}};
    if (link->count <= ahead)
        pieces[0].iov_len = link->count;
    else
        pieces[1].iov_len = link->count - ahead;
    const size_t went = link->count ? give(socket, pieces, 2) : 0;
    link->first = (link->first + went) % LINK_WAITING;
    link->count -= went;
}

static void keep(struct link *link, const uint8_t *data, size_t size)
{
    const size_t at = (link->first + link->count) % LINK_WAITING;
    const size_t ahead = LINK_WAITING - at < size ? LINK_WAITING - at : size;
    memcpy(link->waiting + at, data, ahead);
    memcpy(link->waiting, data + ahead, size - ahead);
    link->count += size;
}

/* Before it is proved there is nothing to keep it in: a far end that does not even read the
 * answer to its check is not waited for. */
static bool put_at_once(struct udp_socket *socket, const uint8_t *header, const uint8_t *data,
                        size_t size)
{
    uint8_t whole[MCU_FRAME_HEADER + UDP_OUT_BYTES];
    memcpy(whole, header, MCU_FRAME_HEADER);
    memcpy(whole + MCU_FRAME_HEADER, data, size);
    struct iovec piece = {.iov_base = whole, .iov_len = MCU_FRAME_HEADER + size};
    if (give(socket, &piece, 1) == MCU_FRAME_HEADER + size)
        return true;
    link_end(socket, LINK_ENDED);
    return false;
}

static bool has_room(const struct link *link, size_t size, bool picture)
{
    return link->count + MCU_FRAME_HEADER + size <= (picture ? LINK_PICTURES : LINK_WAITING);
}

static bool put_in_line(struct udp_socket *socket, const uint8_t *header, const uint8_t *data,
                        size_t size, bool picture)
{
    struct link *link = socket->link;
    if (!has_room(link, size, picture))
        drain(socket);
    if (has_room(link, size, picture)) {
        keep(link, header, MCU_FRAME_HEADER);
        keep(link, data, size);
        return true;
    }
    if (!picture)
        link_end(socket, LINK_SLOW);
    return false;
}

bool link_put(struct udp_socket *socket, const uint8_t *data, size_t size, bool picture)
{
    struct link *link = socket->link;
    const uint8_t header[MCU_FRAME_HEADER] = {(uint8_t)(size >> 8), (uint8_t)size};
    if (link_gone(socket) || size > UDP_OUT_BYTES)
        return false;
    pthread_mutex_lock(&link->lock);
    const bool taken = link->waiting ? put_in_line(socket, header, data, size, picture)
                                     : put_at_once(socket, header, data, size);
    pthread_mutex_unlock(&link->lock);
    return taken;
}

void link_flush(struct udp_socket *socket)
{
    struct link *link = socket->link;
    pthread_mutex_lock(&link->lock);
    if (link->waiting && !link_gone(socket))
        drain(socket);
    if ((link->count > 0) != link->watching && !link_gone(socket)) {
        link->watching = link->count > 0;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = link->watch};
        if (link->watching)
            event.events |= EPOLLOUT;
        epoll_ctl(link->epoll, EPOLL_CTL_MOD, socket->fd, &event);
    }
    pthread_mutex_unlock(&link->lock);
}

/* -- reading -- */

bool link_read(struct udp_socket *socket, struct link_inbox *inbox)
{
    struct link *link = socket->link;
    memcpy(inbox->bytes, link->partial, link->partial_size);
    const ssize_t got =
        recv(socket->fd, inbox->bytes + link->partial_size, LINK_READ, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        link_end(socket, LINK_ENDED);
    if (got <= 0)
        return false;
    inbox->at = 0;
    inbox->size = link->partial_size + (size_t)got;
    link->partial_size = 0;
    link->taken += (size_t)got;
    return true;
}

/* What is not whole waits for the next reading. */
static void set_aside(struct link *link, const struct link_inbox *inbox)
{
    link->partial_size = inbox->size - inbox->at;
    memcpy(link->partial, inbox->bytes + inbox->at, link->partial_size);
}

static bool open_stream(struct udp_socket *socket, struct link_inbox *inbox)
{
    struct link *link = socket->link;
    const enum mcu_opening opening = mcu_opening(inbox->bytes, inbox->size);
    link->opened = opening == MCU_OPENS_FRAMES || opening == MCU_OPENS_GREETING;
    if (opening == MCU_OPENS_OTHER)
        link_end(socket, LINK_ENDED);
    else if (opening == MCU_OPENS_MORE)
        set_aside(link, inbox);
    if (opening != MCU_OPENS_GREETING)
        return link->opened;
    inbox->at = MCU_GREETING;
    struct iovec piece = {.iov_base = (void *)(uintptr_t)mcu_greeted, .iov_len = MCU_GREETED};
    pthread_mutex_lock(&link->lock);
    if (give(socket, &piece, 1) != MCU_GREETED)
        link_end(socket, LINK_ENDED);
    pthread_mutex_unlock(&link->lock);
    return true;
}

bool link_frames(struct udp_socket *socket, struct link_inbox *inbox)
{
    struct link *link = socket->link;
    inbox->count = 0;
    if (link_gone(socket) || (!link->opened && !open_stream(socket, inbox)))
        return false;
    while (inbox->count < LINK_FRAMES) {
        uint8_t *data = inbox->bytes + inbox->at;
        const int length = mcu_frame(data, inbox->size - inbox->at, MCU_DATAGRAM);
        if (length == -2)
            link_end(socket, LINK_ENDED);
        if (length == -1)
            set_aside(link, inbox);
        if (length < 0)
            break;
        inbox->at += MCU_FRAME_HEADER + (size_t)length;
        inbox->each[inbox->count++] = (struct udp_in){
            .from = link->peer, .data = data + MCU_FRAME_HEADER, .size = (size_t)length};
    }
    return inbox->count > 0;
}
