/* Sockets, datagrams received and sent many at a time. No lock of the plane's is needed:
 * a batch is one thread's, a socket lives until its last reference is dropped. */
#ifndef MCU_PLANE_UDP_H
#define MCU_PLANE_UDP_H

#include <mcu/rtp.h>
#include <mcu/srtp.h>

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for what is written; what is sent of it is MCU_DATAGRAM_OUT at most. */
#define UDP_OUT_BYTES 1504
#define UDP_BATCH 64
#define UDP_REFUSALS 8 /* in a row, and segments are not tried again on that socket */

union udp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};
bool udp_address_from(union udp_address *address, const struct sockaddr *from);
/* Whether family, address, port and (IPv6) scope are the same. */
bool udp_address_equal(const union udp_address *one, const union udp_address *other);
uint16_t udp_port(const union udp_address *address);
void udp_set_port(union udp_address *address, uint16_t port);
socklen_t udp_address_size(const union udp_address *address);

struct link;

/* What datagrams come and go by: a UDP socket, or a TCP connection (link.h). */
struct udp_socket {
    int fd;
    atomic_uint references;
    atomic_uint refusals; /* times in a row that the kernel refused UDP_SEGMENT */
    union udp_address local;
    struct link *link; /* NULL: UDP */
};
/* Binds, not blocking, with large buffers. One reference. NULL with errno. */
struct udp_socket *udp_open(const union udp_address *local);
void udp_hold(struct udp_socket *socket);
void udp_drop(struct udp_socket *socket); /* closes it with the last reference */

/* -- sending -- */

struct udp_out {
    struct udp_socket *socket;
    union udp_address to;
    uint16_t size;
    uint32_t begins; /* where in `bytes` */
    bool picture;    /* the first to go where there is no room for all */
    bool numbered;
    uint16_t number; /* transport-wide; and when it was given, us */
    int64_t at;
    int leg; /* whose it is, for what is said of those that could not be sent */
};
/* Datagrams that wait to be sent, of any sockets and to any addresses. Zero `count` to begin;
 * 100 kB: a thread's own, or on the stack of a caller. They are one behind the other, so that
 * a batch of sound is in few pages: each page that is touched costs the processor time. The
 * first of each run of one socket has a reference to it. */
struct udp_batch {
    size_t count;
    struct udp_out each[UDP_BATCH];
    uint8_t bytes[UDP_BATCH * UDP_OUT_BYTES];
};
struct udp_sent { /* sums */
    uint64_t packets, bytes, calls;
};
/* Where the next datagram is to be written, UDP_OUT_BYTES; NULL: the batch is full, send it
 * first. */
uint8_t *udp_next(struct udp_batch *batch);
/* Adds what was written there; it is no picture. */
void udp_add(struct udp_batch *batch, struct udp_socket *socket, const union udp_address *to,
             size_t size, int leg);
/* What was added last is a part of a picture. */
void udp_is_picture(struct udp_batch *batch);
/* Likewise, it has this transport-wide number, and was given at `now`. */
void udp_is_numbered(struct udp_batch *batch, uint16_t number, int64_t now);
/* Sends all in order, by sendmmsg, runs of one size to one address by GSO, and empties the
 * batch. Returns how many could not be sent, and in `unsent` the legs they were for. `sent` is
 * added to. Never waits. */
size_t udp_send(struct udp_batch *batch, int unsent[UDP_BATCH], struct udp_sent *sent);

/* -- receiving -- */

struct udp_in {
    union udp_address from;
    size_t size;
    uint8_t *data; /* of the inbox */
};
/* Room for what one call receives. One byte more than is taken tells what is too long. */
struct udp_inbox {
    struct udp_in each[UDP_BATCH];
    struct mmsghdr messages[UDP_BATCH];
    struct iovec pieces[UDP_BATCH];
    uint8_t bytes[UDP_BATCH][MCU_DATAGRAM + 4];
};
void udp_inbox_prepare(struct udp_inbox *inbox); /* once */
/* Receives what is there, without waiting: how many datagrams, 0 where there is none. One that
 * is longer than MCU_DATAGRAM has size MCU_DATAGRAM + 1. */
size_t udp_receive(struct udp_socket *socket, struct udp_inbox *inbox);

#endif
