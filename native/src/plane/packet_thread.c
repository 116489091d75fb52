#include "packet_thread.h"

#include "events.h"
#include "leg.h"
#include "legs.h"
#include "link.h"
#include "packets.h"
#include "ports.h"
#include "tcp.h"
#include "waiting.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#define SOCKETS_AT_ONCE 64
#define ROUNDS 16     /* batches of one socket before the others have their turn */
#define LINK_ROUNDS 4 /* likewise, readings of one connection */
#define PACE_US                                                                               \
    5000 /* from one reading to the next at least: many packets for one wake-up. A lone       \
            packet is read at once */
#define SLICE_US (1000000 / LEGS_SLICES)

struct packet_thread {
    struct mcu_plane *plane;
    struct udp_inbox inbox;
    struct link_inbox stream;
    struct udp_batch out;
    int64_t now;      /* when what is read is taken to have come: one look at the clock for all
                         the legs that have a packet each */
    int64_t slice_at; /* when the present slice began */
    unsigned slice;
};

/* So that one more datagram that comes has room for what it leads to. */
static void make_room(struct packet_thread *self)
{
    if (self->out.count + RESEND_ROOM <= UDP_BATCH)
        return;
    plane_unlock(self->plane);
    plane_flush(self->plane, &self->out, NULL);
    plane_lock(self->plane);
}

/* -- what came -- */

static void take(struct packet_thread *self, struct udp_socket *socket,
                 const struct udp_in *each, size_t count, uint64_t as)
{
    struct mcu_plane *plane = self->plane;
    plane_lock(plane);
    plane->receive_calls++;
    if (as & WATCH_SHARED)
        legs_expect(plane->legs, socket, each, count);
    for (size_t i = 0; i < count; i++) {
        make_room(self);
        const struct udp_in *got = &each[i];
        const struct arrival in = {.plane = plane,
                                   .socket = socket,
                                   .from = &got->from,
                                   .data = got->data,
                                   .size = got->size,
                                   .now = self->now,
                                   .out = &self->out};
        plane->packets_in++;
        plane->bytes_in += got->size;
        const bool shared = as & (WATCH_SHARED | WATCH_LINK);
        struct leg *leg = shared ? NULL : plane_leg(plane, (int)(as & INT32_MAX));
        if (shared)
            receive_shared(&in);
        else if (leg)
            receive_own(&in, leg, as & WATCH_RTCP);
    }
    plane_unlock(plane);
}

/* The socket that is readable, a reference; NULL: its leg is gone. */
static struct udp_socket *socket_of(struct mcu_plane *plane, uint64_t as)
{
    plane_lock(plane);
    struct udp_socket *socket = NULL;
    if (as & WATCH_SHARED) {
        socket = plane->sockets[as & 0xFF];
    } else {
        const struct leg *leg = plane_leg(plane, (int)(as & INT32_MAX));
        if (leg)
            socket = as & WATCH_RTCP ? leg->rtcp_socket : leg->socket;
    }
    if (socket)
        udp_hold(socket);
    plane_unlock(plane);
    return socket;
}

/* A TCP connection has something, or takes more. */
static void serve_link(struct packet_thread *self, uint64_t as)
{
    struct mcu_plane *plane = self->plane;
    plane_lock(plane);
    struct udp_socket *socket = tcp_socket(plane, as & 0xFFFF);
    plane_unlock(plane);
    if (!socket)
        return;
    bool more = true;
    for (int round = 0; more && round < LINK_ROUNDS; round++) {
        more = link_read(socket, &self->stream);
        self->now = plane_now();
        while (more && link_frames(socket, &self->stream))
            take(self, socket, self->stream.each, self->stream.count, as);
        plane_lock(plane);
        more = tcp_keeps(plane, socket) && more;
        plane_unlock(plane);
    }
    link_flush(socket);
    udp_drop(socket);
}

static void read_socket(struct packet_thread *self, uint64_t as)
{
    if (as & WATCH_WAKE) {
        eventfd_t value;
        eventfd_read(self->plane->wake, &value);
        return;
    }
    if (as & WATCH_LISTENER) {
        tcp_accept(self->plane, as & 0xFF, plane_now());
        return;
    }
    if (as & WATCH_LINK) {
        serve_link(self, as);
        return;
    }
    struct udp_socket *socket = socket_of(self->plane, as);
    if (!socket)
        return;
    size_t count = UDP_BATCH;
    for (int round = 0; count == UDP_BATCH && round < ROUNDS; round++) {
        count = udp_receive(socket, &self->inbox);
        if (round || as & WATCH_SHARED)
            self->now = plane_now();
        if (count)
            take(self, socket, self->inbox.each, count, as);
    }
    if (count == UDP_BATCH && !(as & WATCH_SHARED))
        ports_watch_again(self->plane, socket->fd, as);
    udp_drop(socket);
}

/* -- what is due -- */

static void look_after_slice(struct packet_thread *self, int64_t now)
{
    size_t at = self->slice;
    struct leg *leg;
    while ((leg = legs_next_in_slice(self->plane->legs, &at))) {
        leg_consent(self->plane, leg, now);
        leg_rate(leg, now);
        rtcp_report(leg, &self->out, now);
        make_room(self); /* the leg may be gone after it */
    }
}

/* Those that are congested have a turn in each slice. */
static void look_after_congested(struct packet_thread *self, int64_t now)
{
    size_t at = 0;
    struct leg *leg;
    while (self->plane->congested && (leg = plane_next_leg(self->plane, &at))) {
        congestion_turn(self->plane, leg, &self->out, now);
        make_room(self); /* the leg may be gone after it */
    }
}

/* Pictures whose turn it is. */
static void look_after_paced(struct packet_thread *self, int64_t now)
{
    struct links *const list = &self->plane->paced;
    for (size_t left = list_count(list); left; left--) {
        const struct congestion *next = (const struct congestion *)list_turn(list);
        if (next && next->wake <= now &&
            paced_send(self->plane, plane_leg(self->plane, next->leg), &self->out, now))
            return; /* the others in the next round */
    }
}

/* Whoever is given a picture may switch to its layer: then the former one waits no more. */
static void look_after_waiting(struct packet_thread *self, int64_t now)
{
    struct links *const list = &self->plane->waiting;
    for (size_t left = list_count(list); left; left--) {
        if (self->out.count + RESEND_ROOM > UDP_BATCH)
            return; /* the others in the next round */
        struct in_stream *next = (struct in_stream *)list_turn(list);
        if (next && mcu_frames_wake(next->frames) <= now)
            video_advance(self->plane, plane_leg(self->plane, next->leg), next, &self->out,
                          now);
    }
}

static void look_after(struct packet_thread *self, int64_t now)
{
    if (now - self->slice_at > 2 * 1000000) /* there were no legs for a while */
        self->slice_at = now - SLICE_US;
    plane_lock(self->plane);
    make_room(self);
    for (; now - self->slice_at >= SLICE_US; self->slice_at += SLICE_US) {
        self->slice = (self->slice + 1) % LEGS_SLICES;
        look_after_slice(self, now);
        look_after_congested(self, now);
    }
    look_after_waiting(self, now);
    tcp_look_after(self->plane, now);
    look_after_paced(self, now);
    plane_unlock(self->plane);
    events_remind(self->plane->events, now);
}

/* Milliseconds until something is due, rounded up; -1: nothing is. */
static int until_due(struct packet_thread *self, int64_t now)
{
    plane_lock(self->plane);
    unsigned slices = legs_slices_until(self->plane->legs, self->slice);
    const int64_t waiting = waiting_wake(self->plane), paced = paced_first(self->plane);
    const int64_t wake = waiting < paced ? waiting : paced, tcp = tcp_wake(self->plane);
    if (self->plane->congested) /* their turns are in each slice */
        slices = 1;
    plane_unlock(self->plane);
    int64_t due = slices ? self->slice_at + slices * (int64_t)SLICE_US : INT64_MAX;
    due = wake < due ? wake : due;
    due = tcp < due ? tcp : due;
    const int64_t events = events_wake(self->plane->events);
    due = events < due ? events : due;
    if (due == INT64_MAX)
        return -1;
    return due <= now ? 1 : (int)((due - now + 999) / 1000);
}

static void pace(int64_t read_at)
{
    const int64_t until = read_at + PACE_US;
    const struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* What a round has to send goes at its end, in one call if it can.
 * Where packets keep coming, epoll_wait finds some and does not sleep: one wake-up a round. */
static void *run(void *argument)
{
    struct packet_thread *self = argument;
    struct epoll_event ready[SOCKETS_AT_ONCE];
    while (!atomic_load(&self->plane->ending)) {
        const int count = epoll_wait(self->plane->epoll, ready, SOCKETS_AT_ONCE,
                                     until_due(self, plane_now()));
        const int64_t now = self->now = plane_now();
        for (int i = 0; i < count; i++)
            read_socket(self, ready[i].data.u64);
        look_after(self, plane_now());
        plane_flush(self->plane, &self->out, NULL);
        if (count > 0)
            pace(now);
    }
    return NULL;
}

int packet_thread_begin(struct mcu_plane *plane)
{
    struct packet_thread *self = calloc(1, sizeof *self);
    if (!self)
        return -1;
    self->plane = plane;
    self->slice_at = plane_now();
    udp_inbox_prepare(&self->inbox);
    plane->packets = self;
    sigset_t all, before;
    sigfillset(&all); /* signals are for threads that know of them */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&plane->packet_thread, NULL, run, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!errno) {
        pthread_setname_np(plane->packet_thread,
                           "mcu-packets"); /* as top and the benchmarks show it */
        return 0;
    }
    free(self);
    plane->packets = NULL;
    return -1;
}

void packet_thread_end(struct mcu_plane *plane)
{
    if (!plane->packets)
        return;
    atomic_store(&plane->ending, true);
    eventfd_write(plane->wake, 1);
    pthread_join(plane->packet_thread, NULL);
    free(plane->packets);
    plane->packets = NULL;
}
