/* One TCP connection that carries a leg's datagrams (RFC 4571), as a `struct udp_socket` whose
 * `link` is not NULL: whatever is sent to a leg goes by either, and the leg moves between them
 * as between two addresses.
 *
 * The packet thread alone reads and ends a link; any thread may put datagrams, with no lock or
 * with the plane's. The link's own lock, a leaf, guards what waits to be sent. */
#ifndef MCU_PLANE_LINK_H
#define MCU_PLANE_LINK_H

#include "list.h"
#include "udp.h"

#include <mcu/framing.h>

#include <pthread.h>

/* What the kernel did not take yet. Pictures are refused while more than LINK_PICTURES waits;
 * what remains is for all else: some seconds of sound, after which the connection is lost. */
#define LINK_WAITING (128 << 10)
#define LINK_PICTURES (96 << 10)
#define LINK_KERNEL (128 << 10) /* bytes that the kernel may hold beside it */

#define LINK_READ (16 << 10) /* bytes of one reading */
#define LINK_FRAMES UDP_BATCH

enum link_end { LINK_OPEN, LINK_ENDED, LINK_SLOW };
struct tcp;

struct link {
    struct links unproved; /* tcp.c's */
    union udp_address peer;
    int epoll;
    uint64_t watch; /* what epoll gives back */
    atomic_int end; /* enum link_end: why it is of no use any more */
    struct tcp *tcp;
    /* tcp.c's, guarded by the plane's lock */
    bool proved;   /* a leg has it among its proven addresses */
    bool known;    /* it has been that once */
    int64_t since; /* us: since when it has not been proved */
    /* the packet thread's */
    bool opened; /* its first bytes are known */
    uint8_t partial[MCU_DATAGRAM + MCU_FRAME_HEADER];
    size_t partial_size;
    size_t taken; /* bytes before it was proved */
    /* guarded by the lock */
    pthread_mutex_t lock;
    uint8_t *waiting; /* a ring; NULL until it is proved */
    size_t first, count;
    bool watching; /* epoll tells when the kernel takes more */
};

/* Of an accepted, non-blocking `fd`, which it owns. NULL: no memory; the fd is closed. */
struct udp_socket *link_new(int fd, const union udp_address *peer);
/* Of a socket whose last reference was dropped. */
void link_free(struct link *link);
/* It has room for what waits from now on. false: no memory. */
bool link_make_room(struct udp_socket *socket);

/* One datagram to the far end. `picture`: it is refused earlier. false: it was not taken, or
 * the link is gone. Never waits. */
bool link_put(struct udp_socket *socket, const uint8_t *data, size_t size, bool picture);
/* Gives the kernel what waits, and lets epoll tell when it takes more. */
void link_flush(struct udp_socket *socket);
/* Ends it, for both sides, at once, and wakes the packet thread, which forgets it. */
void link_end(struct udp_socket *socket, enum link_end why);
bool link_gone(const struct udp_socket *socket);

/* -- reading, the packet thread's -- */

struct link_inbox {
    struct udp_in each[LINK_FRAMES]; /* the datagrams that are whole */
    size_t count;
    size_t at, size; /* of bytes: what is not taken apart yet */
    uint8_t bytes[MCU_DATAGRAM + MCU_FRAME_HEADER + LINK_READ];
};
/* Reads once: false where there is nothing more, or the link is gone. */
bool link_read(struct udp_socket *socket, struct link_inbox *inbox);
/* The next datagrams of what was read, LINK_FRAMES at most: false where there are none; what
 * is not whole is kept for the next reading. A stream that is none of ours is ended. */
bool link_frames(struct udp_socket *socket, struct link_inbox *inbox);

#endif
