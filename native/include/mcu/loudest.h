/* Which legs of a room are decoded and mixed: the loudest few, with enough inertia that nobody
 * is cut between two words. Sees levels only (RFC 6464, -dBov: 0 loud, 127 silent). A leg as
 * quiet as a room is no talker, however few talk. Pure. */
#ifndef MCU_LOUDEST_H
#define MCU_LOUDEST_H

#include <stdbool.h>
#include <stddef.h>

#define MCU_TALKS_FROM 60  /* -dBov: what is louder than this starts to be mixed */
#define MCU_TALKS_UNTIL 68 /* and is mixed until it has faded to this */
#define MCU_FADES_BY 1.0   /* dB a tick: after speech at -25 a talker stays for 0.9 s */
#define MCU_LEAD 6         /* dB by which a newcomer must be louder than the quietest chosen */

/* One leg's standing; `level` 127 and chosen false to begin. */
struct mcu_standing {
    double level; /* at once as loud as the leg, slowly as quiet */
    bool chosen;
};

/* One tick. Follows each standing by its level (0 … 127) and sets `chosen` of at most `most`
 * of `count`. Returns the bar: the level that a leg which is not chosen must be louder (lower)
 * than to be chosen in this tick. */
int mcu_loudest(struct mcu_standing **standings, const int *levels, size_t count, size_t most);

#endif
