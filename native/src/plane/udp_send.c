#include "link.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#define SEGMENTED_BYTES 65000 /* of a run that goes as one: an IP packet with its headers */

#define ALIGNED 32U /* bytes, of which UDP_OUT_BYTES is a multiple */

/* Where the next datagram begins. */
static uint32_t end_of(const struct udp_batch *batch)
{
    if (!batch->count)
        return 0;
    const struct udp_out *last = &batch->each[batch->count - 1];
    return last->begins + (last->size + ALIGNED - 1U) / ALIGNED * ALIGNED;
}

uint8_t *udp_next(struct udp_batch *batch)
{
    return batch->count < UDP_BATCH ? batch->bytes + end_of(batch) : NULL;
}

/* Whether the socket's reference is this datagram's. */
static bool refers(const struct udp_batch *batch, size_t at)
{
    return !at || batch->each[at].socket != batch->each[at - 1].socket;
}

void udp_add(struct udp_batch *batch, struct udp_socket *socket, const union udp_address *to,
             size_t size, int leg)
{
    const uint32_t begins = end_of(batch);
    const size_t at = batch->count++;
    struct udp_out *out = &batch->each[at];
    out->begins = begins;
    out->socket = socket;
    if (refers(batch, at))
        udp_hold(socket);
    out->to = *to;
    out->size = (uint16_t)size;
    out->picture = out->numbered = false;
    out->leg = leg;
}

void udp_is_picture(struct udp_batch *batch) { batch->each[batch->count - 1].picture = true; }

void udp_is_numbered(struct udp_batch *batch, uint16_t number, int64_t now)
{
    struct udp_out *out = &batch->each[batch->count - 1];
    out->numbered = true;
    out->number = number;
    out->at = now;
}

static uint8_t *bytes_of(struct udp_batch *batch, size_t at)
{
    return batch->bytes + batch->each[at].begins;
}

/* What one sendmmsg is given: messages of one socket, each a run of datagrams. */
struct plan {
    struct mmsghdr messages[UDP_BATCH];
    struct iovec pieces[UDP_BATCH];
    _Alignas(struct cmsghdr) char controls[UDP_BATCH][CMSG_SPACE(sizeof(uint16_t))];
    size_t begins[UDP_BATCH + 1]; /* of each message: its first datagram */
    unsigned count;
};

/* How many datagrams from `from` on can go as one: to one address, of one size, but for the
 * last that may be shorter. */
static size_t run_length(const struct udp_batch *batch, size_t from)
{
    const struct udp_out *first = &batch->each[from];
    size_t length = 1, bytes = first->size;
    for (size_t i = from + 1; i < batch->count; i++, length++) {
        const struct udp_out *out = &batch->each[i];
        bytes += out->size;
        if (out->socket != first->socket || out->size > first->size ||
            bytes > SEGMENTED_BYTES || !udp_address_equal(&out->to, &first->to))
            break;
        if (out->size < first->size)
            return length + 1;
    }
    return length;
}

static void plan_message(struct plan *plan, struct udp_batch *batch, size_t from,
                         size_t length)
{
    struct udp_out *first = &batch->each[from];
    struct msghdr *header = &plan->messages[plan->count].msg_hdr;
    *header = (struct msghdr){.msg_name = &first->to,
                              .msg_namelen = udp_address_size(&first->to),
                              .msg_iov = &plan->pieces[from],
                              .msg_iovlen = length};
    for (size_t i = from; i < from + length; i++)
        plan->pieces[i] =
            (struct iovec){.iov_base = bytes_of(batch, i), .iov_len = batch->each[i].size};
    if (length > 1) {
        header->msg_control = plan->controls[plan->count];
        header->msg_controllen = sizeof plan->controls[plan->count];
        struct cmsghdr *control = CMSG_FIRSTHDR(header);
        control->cmsg_level = SOL_UDP;
        control->cmsg_type = UDP_SEGMENT;
        control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        memcpy(CMSG_DATA(control), &first->size, sizeof first->size);
    }
    plan->begins[plan->count++] = from;
    plan->begins[plan->count] = from + length;
}

/* Plans what is of one socket from `from` on; datagrams before `alone` go one by one. */
static void plan_socket(struct plan *plan, struct udp_batch *batch, size_t from, size_t alone)
{
    struct udp_socket *socket = batch->each[from].socket;
    const bool segments =
        atomic_load_explicit(&socket->refusals, memory_order_relaxed) < UDP_REFUSALS;
    plan->count = 0;
    while (from < batch->count && batch->each[from].socket == socket) {
        const size_t length = segments && from >= alone ? run_length(batch, from) : 1;
        plan_message(plan, batch, from, length);
        from += length;
    }
}

struct outcome {
    size_t next;  /* the first datagram that is not done with */
    size_t alone; /* up to here without segments */
    bool sent;
};

/* The kernel refused the first message of a plan. */
static struct outcome refused(const struct plan *plan, struct udp_batch *batch, int why)
{
    const size_t first = plan->begins[0], end = plan->begins[1];
    if (end - first > 1 && (why == EIO || why == EINVAL || why == EMSGSIZE)) {
        /* Only on this path, that is too narrow, or never in this kernel. */
        atomic_fetch_add_explicit(&batch->each[first].socket->refusals, 1,
                                  memory_order_relaxed);
        return (struct outcome){.next = first, .alone = end, .sent = true};
    }
    if (why == EINTR)
        return (struct outcome){.next = first, .sent = true};
    const bool full = why == EAGAIN || why == ENOBUFS;
    return (struct outcome){.next = plan->begins[full ? plan->count : 1]};
}

static void count_sent(const struct plan *plan, const struct udp_batch *batch, int messages,
                       struct udp_sent *sent)
{
    const size_t from = plan->begins[0], to = plan->begins[messages];
    if (to - from > (size_t)messages) /* some of them were runs */
        atomic_store_explicit(&batch->each[from].socket->refusals, 0, memory_order_relaxed);
    sent->packets += to - from;
    for (size_t i = from; i < to; i++)
        sent->bytes += batch->each[i].size;
}

/* -- all of a batch -- */

/* Those that could not be sent, as udp_send tells of them. */
struct unsent {
    int *legs; /* may be NULL */
    size_t count;
};

static void note_unsent(struct unsent *unsent, const struct udp_out *out)
{
    if (unsent->legs)
        unsent->legs[unsent->count] = out->leg;
    unsent->count++;
}

/* In one call: how many messages went, or -1 with errno. Of legs with ports of their own there
 * is one to each socket, for which the simplest call does. */
static int send_plan(struct plan *plan, struct udp_batch *batch)
{
    const size_t at = plan->begins[0];
    const struct udp_out *out = &batch->each[at];
    if (plan->begins[1] - at > 1 || plan->count > 1)
        return sendmmsg(out->socket->fd, plan->messages, plan->count, 0);
    return sendto(out->socket->fd, bytes_of(batch, at), out->size, 0, &out->to.any,
                  udp_address_size(&out->to)) < 0
               ? -1
               : 1;
}

/* What is of one UDP socket from `at` on, in one call; the next that is not done with. */
static size_t send_datagrams(struct udp_batch *batch, size_t at, size_t *alone,
                             struct unsent *unsent, struct udp_sent *sent)
{
    struct plan plan;
    plan_socket(&plan, batch, at, *alone);
    const int went = send_plan(&plan, batch);
    sent->calls++;
    if (went > 0) {
        count_sent(&plan, batch, went, sent);
        return plan.begins[went];
    }
    const struct outcome outcome = refused(&plan, batch, errno);
    for (size_t i = at; !outcome.sent && i < outcome.next; i++)
        note_unsent(unsent, &batch->each[i]);
    *alone = outcome.alone;
    return outcome.next;
}

/* What is of one TCP connection from `at` on. */
static size_t send_by_link(struct udp_batch *batch, size_t at, struct unsent *unsent,
                           struct udp_sent *sent)
{
    struct udp_socket *socket = batch->each[at].socket;
    for (; at < batch->count && batch->each[at].socket == socket; at++) {
        const struct udp_out *out = &batch->each[at];
        if (link_put(socket, bytes_of(batch, at), out->size, out->picture)) {
            sent->packets++;
            sent->bytes += out->size;
        } else {
            note_unsent(unsent, out);
        }
    }
    link_flush(socket);
    sent->calls++;
    return at;
}

size_t udp_send(struct udp_batch *batch, int unsent[UDP_BATCH], struct udp_sent *sent)
{
    struct unsent lost = {.legs = unsent};
    size_t at = 0, alone = 0;
    while (at < batch->count)
        at = batch->each[at].socket->link ? send_by_link(batch, at, &lost, sent)
                                          : send_datagrams(batch, at, &alone, &lost, sent);
    for (size_t i = 0; i < batch->count; i++)
        if (refers(batch, i))
            udp_drop(batch->each[i].socket);
    batch->count = 0;
    return lost.count;
}
