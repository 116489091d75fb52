/* A relay whose packets are decrypted and encrypted anew, for two far ends that have no keys
 * in common. What is in them is not looked at, but for the SSRCs. All of it with the plane's
 * lock held. */
#ifndef MCU_PLANE_OPENED_H
#define MCU_PLANE_OPENED_H

#include "internal.h"

#include <mcu/demux.h>

/* What each SSRC of a leg's far end is called at the other's. Somebody else may have encrypted
 * with the keys that we do there, and an SSRC that was theirs would have their nonces again
 * (RFC 3711 section 9.1): so all are made up, and none is given twice. */
struct opened;
struct opened *opened_new(void); /* NULL: no memory; free() ends it */
/* The far end has other keys: its SSRCs are new ones. */
void opened_forget(struct opened *opened);

/* Decrypts, in place. false: it is not authentic, or there are no keys. */
bool opened_take(struct leg *leg, enum mcu_datagram kind, uint8_t *data, size_t *size);
/* Renames and encrypts it for the other one's far end; `data` has UDP_OUT_BYTES. false: it is
 * malformed, too long, or the far end has had more than MCU_SRTP_SOURCES SSRCs. */
bool opened_give(const struct leg *leg, const struct leg *to, enum mcu_datagram kind,
                 uint8_t *data, size_t *size);

#endif
