/* Datagrams on a byte stream (RFC 4571: each after its length in two bytes), and the false TLS
 * greeting with which some browsers begin one, so that a firewall lets it pass. Pure. */
#ifndef MCU_FRAMING_H
#define MCU_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#define MCU_FRAME_HEADER 2
#define MCU_GREETING 72 /* bytes of the false ClientHello */
#define MCU_GREETED 79  /* and of the ServerHello that answers it */

enum mcu_opening {
    MCU_OPENS_MORE,     /* it cannot be told yet */
    MCU_OPENS_FRAMES,   /* a length: datagrams follow */
    MCU_OPENS_GREETING, /* the false ClientHello, whole: datagrams follow after it */
    MCU_OPENS_OTHER,    /* nothing of ours: HTTP, real TLS, noise */
};
/* How a stream begins. The first datagram is a STUN message, so its length begins with a byte
 * of 5 at most, which tells it from a ClientHello (0x80; real TLS: 0x16). */
enum mcu_opening mcu_opening(const uint8_t *data, size_t size);
/* The one ServerHello that browsers take, MCU_GREETED bytes. */
extern const uint8_t mcu_greeted[MCU_GREETED];

/* The bytes of the datagram that begins here, without its length. -1: it is not whole yet;
 * -2: it is longer than `most`, and the stream is of no use any more. */
int mcu_frame(const uint8_t *data, size_t size, size_t most);

#endif
