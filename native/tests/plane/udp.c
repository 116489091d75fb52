/* Batches: what is written comes out, datagram by datagram, with segments and without. */
#include "../../src/plane/udp.h"

#include "client.h"
#include "tests.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static union udp_address loopback(void)
{
    union udp_address address = {
        .v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    return address;
}

static void put(struct udp_batch *batch, struct udp_socket *from, const struct udp_socket *to,
                size_t size, uint8_t mark)
{
    memset(udp_next(batch), mark, size);
    udp_add(batch, from, &to->local, size, mark + 1);
}

/* What comes to a socket is these sizes in order, and each datagram's own bytes. */
static void expect(struct udp_socket *socket, const size_t *sizes, const uint8_t *marks,
                   size_t count)
{
    struct udp_inbox *inbox = malloc(sizeof *inbox);
    udp_inbox_prepare(inbox);
    const size_t got = udp_receive(socket, inbox);
    CHECK(got == count);
    for (size_t i = 0; i < got && i < count; i++) {
        CHECK(inbox->each[i].size == sizes[i]);
        CHECK(inbox->each[i].data[0] == marks[i]);
        CHECK(inbox->each[i].data[inbox->each[i].size - 1] == marks[i]);
    }
    free(inbox);
}

/* A frame's packets to one address, others between: how many calls and messages it takes. */
static void send_mixed(bool segments)
{
    const union udp_address local = loopback();
    struct udp_socket *from = udp_open(&local), *one = udp_open(&local),
                      *two = udp_open(&local);
    struct udp_batch *batch = malloc(sizeof *batch);
    struct udp_sent sent = {0};
    int unsent[UDP_BATCH];
    batch->count = 0;
    atomic_store(&from->refusals, segments ? 0 : UDP_REFUSALS);
    const size_t sizes[] = {1100, 1100, 1100, 700, 90, 90, 1200};
    const uint8_t marks[] = {1, 2, 3, 4, 5, 6, 7};
    for (size_t i = 0; i < 7; i++)
        put(batch, from, one, sizes[i], marks[i]);
    put(batch, from, two, 50, 8);
    CHECK(udp_send(batch, unsent, &sent) == 0);
    CHECK(sent.packets == 8 && sent.calls == 1 && batch->count == 0);
    CHECK(sent.bytes == 1100 * 3 + 700 + 90 + 90 + 1200 + 50);
    expect(one, sizes, marks, 7);
    expect(two, (const size_t[]){50}, (const uint8_t[]){8}, 1);
    CHECK(atomic_load(&from->references) == 1);
    free(batch);
    udp_drop(from);
    udp_drop(one);
    udp_drop(two);
}

static void a_batch_arrives_whole_with_segments(void) { send_mixed(true); }
static void a_batch_arrives_whole_without_segments(void) { send_mixed(false); }

static void where_the_kernel_refuses_segments_the_batch_goes_without(void)
{
    const union udp_address local = loopback();
    struct udp_socket *from = udp_open(&local), *to = udp_open(&local);
    const int off = 1;
    /* without checksums there are no segments: EINVAL */
    CHECK(setsockopt(from->fd, SOL_SOCKET, SO_NO_CHECK, &off, sizeof off) == 0);
    struct udp_batch *batch = malloc(sizeof *batch);
    batch->count = 0;
    for (unsigned i = 0; i < 2 * UDP_REFUSALS; i++) {
        struct udp_sent sent = {0};
        put(batch, from, to, 300, 1);
        put(batch, from, to, 300, 2);
        CHECK(udp_send(batch, NULL, &sent) == 0);
        CHECK(sent.packets == 2);
        CHECK(sent.calls == (i < UDP_REFUSALS ? 2 : 1)); /* it is not tried for ever */
        expect(to, (const size_t[]){300, 300}, (const uint8_t[]){1, 2}, 2);
    }
    free(batch);
    udp_drop(from);
    udp_drop(to);
}

static void what_cannot_be_sent_is_told_and_the_rest_goes(void)
{
    const union udp_address local = loopback();
    struct udp_socket *from = udp_open(&local), *to = udp_open(&local);
    struct udp_batch *batch = malloc(sizeof *batch);
    struct udp_sent sent = {0};
    int unsent[UDP_BATCH];
    batch->count = 0;
    put(batch, from, to, 10, 1);
    put(batch, from, to, 20, 2);
    batch->each[1].to.v4.sin_port = 0; /* EINVAL */
    put(batch, from, to, 30, 3);
    CHECK(udp_send(batch, unsent, &sent) == 1);
    CHECK(unsent[0] == 3);
    expect(to, (const size_t[]){10, 30}, (const uint8_t[]){1, 3}, 2);
    free(batch);
    udp_drop(from);
    udp_drop(to);
}

/* Each socket is dropped by its owner before the batch leaves, as a leg's is that goes. */
static void a_full_batch_of_long_datagrams_of_sockets_in_turns_arrives_whole(void)
{
    const union udp_address local = loopback();
    struct udp_socket *to = udp_open(&local), *from[] = {udp_open(&local), udp_open(&local)};
    struct udp_batch *batch = malloc(sizeof *batch);
    struct udp_sent sent = {0};
    size_t sizes[UDP_BATCH];
    uint8_t marks[UDP_BATCH];
    batch->count = 0;
    for (uint8_t i = 0; i < UDP_BATCH; i++) {
        sizes[i] = MCU_DATAGRAM - i % 3;
        marks[i] = i;
        put(batch, from[i / 2 % 2], to, sizes[i], i);
    }
    CHECK(!udp_next(batch));
    udp_drop(from[0]);
    udp_drop(from[1]);
    CHECK(udp_send(batch, NULL, &sent) == 0 && sent.packets == UDP_BATCH);
    expect(to, sizes, marks, UDP_BATCH);
    free(batch);
    udp_drop(to);
}

static void what_is_too_long_is_seen_to_be(void)
{
    const union udp_address local = loopback();
    struct udp_socket *to = udp_open(&local);
    struct sockaddr_in mine;
    const int fd = open_socket(&mine);
    uint8_t data[1600] = {7};
    CHECK(sendto(fd, data, sizeof data, 0, &to->local.any, sizeof to->local.v4) == 1600);
    struct udp_inbox *inbox = malloc(sizeof *inbox);
    udp_inbox_prepare(inbox);
    CHECK(udp_receive(to, inbox) == 1 && inbox->each[0].size == MCU_DATAGRAM + 1);
    CHECK(udp_receive(to, inbox) == 0);
    free(inbox);
    close(fd);
    udp_drop(to);
}

static void an_ipv6_socket_leaves_the_port_of_ipv4_free(void)
{
    union udp_address six = {
        .v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
    struct udp_socket *first = udp_open(&six);
    CHECK(first);
    if (!first)
        return;
    union udp_address four = loopback();
    udp_set_port(&four, udp_port(&first->local));
    struct udp_socket *second = udp_open(&four);
    CHECK(second && udp_port(&second->local) == udp_port(&first->local));
    CHECK(!udp_address_equal(&first->local, &second->local));
    udp_drop(first);
    udp_drop(second);
}

void udp_tests(void)
{
    TEST(a_batch_arrives_whole_with_segments);
    TEST(a_batch_arrives_whole_without_segments);
    TEST(where_the_kernel_refuses_segments_the_batch_goes_without);
    TEST(what_cannot_be_sent_is_told_and_the_rest_goes);
    TEST(a_full_batch_of_long_datagrams_of_sockets_in_turns_arrives_whole);
    TEST(what_is_too_long_is_seen_to_be);
    TEST(an_ipv6_socket_leaves_the_port_of_ipv4_free);
}
