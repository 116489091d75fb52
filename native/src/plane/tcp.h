/* Those who come by TCP: the listening sockets, one an address, and the table of connections
 * (link.h). What no check has proved is bounded: in number, in time, in bytes. All but
 * tcp_open is called by the packet thread, or with the plane's lock held. */
#ifndef MCU_PLANE_TCP_H
#define MCU_PLANE_TCP_H

#include "internal.h"

#define TCP_UNPROVED 512 /* of more the oldest is ended: who is slow makes room */
#define TCP_UNPROVED_US 5000000
#define TCP_UNPROVED_BYTES 8192
#define TCP_LINKS (MCU_PLANE_LEGS + TCP_UNPROVED)

/* Listens on every address of the plane. -1 with errno; plane->tcp is then as it was. */
int tcp_open(struct mcu_plane *plane, uint16_t port);
/* Whatever there is of it; the packet thread has ended. */
void tcp_close(struct mcu_plane *plane);
uint16_t tcp_port(const struct mcu_plane *plane);

/* A listener is readable. NOT locked. */
void tcp_accept(struct mcu_plane *plane, size_t listener, int64_t now);
/* The link that epoll tells of, a reference; NULL: it is gone. Locked. */
struct udp_socket *tcp_socket(struct mcu_plane *plane, size_t place);
/* After something was read: whether it may go on. One that may not is forgotten. Locked. */
bool tcp_keeps(struct mcu_plane *plane, struct udp_socket *socket);

/* A leg has it among its proven addresses; or no leg any more. Locked; nothing is done for a
 * UDP socket. */
void tcp_proved(struct udp_socket *socket);
void tcp_unproved(struct udp_socket *socket);

/* Ends those that nobody proved in time. Locked. */
void tcp_look_after(struct mcu_plane *plane, int64_t now);
/* When that is due; INT64_MAX: never. Locked. */
int64_t tcp_wake(const struct mcu_plane *plane);

#endif
