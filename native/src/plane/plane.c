/* The plane as a whole: begun, ended, and asked for what it has to say. */
#include "internal.h"

#include "events.h"
#include "leg.h"
#include "legs.h"
#include "lock.h"
#include "packet_thread.h"
#include "packets.h"
#include "ports.h"
#include "tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define LATE_US 1000 /* in a batch: the thread had no processor, or others to serve first */
#define TRIES 100    /* for a port that is free on all addresses */

int64_t plane_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* -- sockets -- */

static void close_sockets(struct mcu_plane *plane)
{
    tcp_close(plane);
    while (plane->socket_count)
        udp_drop(plane->sockets[--plane->socket_count]);
}

/* TCP on the port that was asked for; else on the same as UDP, or not at all where another
 * program has that and UDP's cannot be another. */
static int open_tcp(struct mcu_plane *plane, const struct mcu_plane_options *options)
{
    if (options->tcp_port)
        return tcp_open(plane, options->tcp_port);
    if (tcp_open(plane, plane->port) == 0)
        return 0;
    return options->port && errno == EADDRINUSE ? 0 : -1;
}

/* One socket an address, all on `port`, or on that which the first was given. */
static int open_all(struct mcu_plane *plane, const struct mcu_plane_options *options)
{
    uint16_t port = options->port;
    for (size_t i = 0; i < options->address_count; i++) {
        union udp_address local;
        if (!udp_address_from(&local, (const struct sockaddr *)&options->addresses[i])) {
            errno = EINVAL;
            return -1;
        }
        udp_set_port(&local, port);
        struct udp_socket *socket = udp_open(&local);
        if (!socket)
            return -1;
        plane->sockets[plane->socket_count++] = socket;
        port = udp_port(&socket->local);
    }
    plane->port = port;
    return open_tcp(plane, options);
}

static int open_sockets(struct mcu_plane *plane, const struct mcu_plane_options *options)
{
    if (!options->address_count || options->address_count > PLANE_SOCKETS) {
        errno = EINVAL;
        return -1;
    }
    for (int i = 0; i < TRIES; i++) {
        if (open_all(plane, options) == 0)
            return 0;
        const int why = errno;
        close_sockets(plane);
        errno = why;
        if (options->port || options->tcp_port || why != EADDRINUSE)
            return -1;
    }
    return -1;
}

static int watch_sockets(struct mcu_plane *plane)
{
    if (ports_watch(plane, plane->wake, WATCH_WAKE))
        return -1;
    for (size_t i = 0; i < plane->socket_count; i++)
        if (ports_watch(plane, plane->sockets[i]->fd, WATCH_SHARED | i))
            return -1;
    return 0;
}

/* -- the whole -- */

static int begin(struct mcu_plane *plane, const struct mcu_plane_options *options)
{
    plane->options = *options;
    plane->options.addresses = NULL;
    plane->epoll = epoll_create1(EPOLL_CLOEXEC);
    plane->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    plane->legs = legs_new();
    plane->events = events_new();
    if (plane->epoll < 0 || plane->wake < 0 || !plane->legs || !plane->events)
        return -1;
    if (open_sockets(plane, options) || watch_sockets(plane) || packet_thread_begin(plane))
        return -1;
    if (sounding_begin(plane))
        return -1;
    return 0;
}

/* Whatever of it there is. */
static void end(struct mcu_plane *plane)
{
    if (plane->sounding)
        sounding_end(plane);
    packet_thread_end(plane);
    size_t at = 0;
    for (struct leg *leg; plane->legs && (leg = plane_next_leg(plane, &at));) {
        legs_take(plane->legs, leg);
        leg_free(leg);
    }
    close_sockets(plane);
    if (plane->legs)
        legs_free(plane->legs);
    if (plane->events)
        events_free(plane->events);
    if (plane->epoll >= 0)
        close(plane->epoll);
    if (plane->wake >= 0)
        close(plane->wake);
    pthread_mutex_destroy(&plane->lock);
    free(plane);
}

struct mcu_plane *mcu_plane_new(const struct mcu_plane_options *options)
{
    struct mcu_plane *plane = calloc(1, sizeof *plane);
    if (!plane)
        return NULL;
    lock_begin(&plane->lock);
    plane->epoll = plane->wake = -1;
    list_begin(&plane->waiting);
    list_begin(&plane->paced);
    if (begin(plane, options) == 0)
        return plane;
    const int why = errno;
    end(plane);
    errno = why;
    return NULL;
}

void mcu_plane_free(struct mcu_plane *plane) { end(plane); }

uint16_t mcu_plane_port(const struct mcu_plane *plane) { return plane->port; }

uint16_t mcu_plane_tcp_port(const struct mcu_plane *plane) { return tcp_port(plane); }

int mcu_plane_fd(const struct mcu_plane *plane) { return events_fd(plane->events); }

int mcu_plane_event(struct mcu_plane *plane, struct mcu_event *event)
{
    if (!events_take(plane->events, event))
        return 0;
    if (event->kind == MCU_EVENT_DTLS) {
        plane_lock(plane);
        struct leg *leg = plane_leg(plane, event->leg);
        if (leg)
            leg->dtls_waiting--;
        plane_unlock(plane);
    }
    return 1;
}

/* -- sending -- */

/* What waited in its batch did not wait in the line. */
static void note_left(struct mcu_plane *plane, const struct udp_out *each, size_t count,
                      int64_t now)
{
    for (size_t i = 0; i < count; i++) {
        const bool late = each[i].numbered && now - each[i].at > LATE_US;
        struct leg *leg = late ? plane_leg(plane, each[i].leg) : NULL;
        if (leg)
            congestion_left(leg, each[i].number, now);
    }
}

size_t plane_flush(struct mcu_plane *plane, struct udp_batch *batch, int unsent[UDP_BATCH])
{
    if (!batch->count)
        return 0;
    int legs[UDP_BATCH];
    struct udp_sent sent = {0};
    const size_t count = batch->count;
    const int64_t now = plane_now();
    const size_t lost = udp_send(batch, legs, &sent);
    plane_lock(plane);
    note_left(plane, batch->each, count, now);
    plane->sent.packets += sent.packets;
    plane->sent.bytes += sent.bytes;
    plane->sent.calls += sent.calls;
    for (size_t i = 0; i < lost; i++)
        plane_drop(plane, plane_leg(plane, legs[i]), MCU_DROP_UNSENT);
    plane_unlock(plane);
    if (unsent)
        memcpy(unsent, legs, lost * sizeof legs[0]);
    return lost;
}

/* Whether it is known where a leg is: of a WebRTC leg from its first check on. */
static bool at(const struct leg *leg)
{
    return leg->webrtc ? leg->socket != NULL : leg->connected;
}

int mcu_plane_send_dtls(struct mcu_plane *plane, int handle, bool rtcp, const uint8_t *data,
                        size_t size)
{
    struct udp_batch batch;
    batch.count = 0;
    plane_lock(plane);
    const struct leg *leg = plane_leg(plane, handle);
    int why = leg ? 0 : ENOENT;
    if (leg && (size > MCU_DATAGRAM_OUT || (rtcp ? leg->muxed || !leg->connected : !at(leg))))
        why = EINVAL;
    if (!why) {
        memcpy(udp_next(&batch), data, size);
        udp_add(&batch, rtcp ? leg->rtcp_socket : leg->socket,
                rtcp ? &leg->rtcp_remote : &leg->remote, size, handle);
    }
    plane_unlock(plane);
    plane_flush(plane, &batch, NULL);
    errno = why;
    return why ? -1 : 0;
}

/* -- asking -- */

int mcu_plane_want_key(struct mcu_plane *plane, int handle, enum mcu_source source)
{
    struct udp_batch batch;
    batch.count = 0;
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    const bool video = source == MCU_CAMERA || source == MCU_SCREEN;
    struct in_stream *const first = leg && video ? leg->in[source] : NULL;
    for (struct in_stream *stream = first; stream; stream = stream->next)
        if (layers_wanted(leg, stream)) {
            mcu_frames_want_key(stream->frames);
            video_advance(plane, leg, stream, &batch, plane_now());
        }
    plane_unlock(plane);
    plane_flush(plane, &batch, NULL);
    errno = !leg ? ENOENT : first ? 0 : EINVAL;
    return first ? 0 : -1;
}

int mcu_plane_aim(struct mcu_plane *plane, int handle, uint32_t bits_per_second)
{
    plane_lock(plane);
    const struct leg *leg = plane_leg(plane, handle);
    if (leg && leg->congestion)
        mcu_estimate_aim(leg->congestion->estimate, bits_per_second);
    plane_unlock(plane);
    errno = leg ? 0 : ENOENT;
    return leg ? 0 : -1;
}

int mcu_plane_limit(struct mcu_plane *plane, int handle, uint32_t bits_per_second)
{
    struct udp_batch batch;
    batch.count = 0;
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    if (leg) {
        leg->limit = bits_per_second;
        rtcp_limit(leg, &batch);
    }
    plane_unlock(plane);
    plane_flush(plane, &batch, NULL);
    errno = leg ? 0 : ENOENT;
    return leg ? 0 : -1;
}
