/* Which protocol a datagram is of, by its first bytes (RFC 7983, RFC 5761), before anything
 * else is done with it. */
#ifndef MCU_DEMUX_H
#define MCU_DEMUX_H

#include <stddef.h>
#include <stdint.h>

enum mcu_datagram { MCU_IS_STUN, MCU_IS_DTLS, MCU_IS_RTP, MCU_IS_RTCP, MCU_IS_NOTHING };

/* Never reads beyond `size`. DTLS: the record header is whole, of a known content type and
 * version, and its records fill the datagram (RFC 6347 section 4.1, RFC 9147 is not spoken);
 * RTP: version 2 and 12 bytes at least; RTCP: version 2, packet type 192 … 223, 8 bytes at
 * least. */
enum mcu_datagram mcu_demux(const uint8_t *data, size_t size);

#endif
