/* When a leg's pictures may leave: a leaky bucket that is as deep as one picture in a steady
 * stream, so that ordinary ones leave whole, at once, and a key frame in many small bursts.
 * On a narrow line they leave behind sound: as many as it carries until the next packet of
 * that is due, which then waits for nothing. While the line's queue is full less leaves than
 * the line carries, and while a probe lasts, whose padding waits for its turn too, what that
 * is to find out. Pure. */
#ifndef MCU_PACE_H
#define MCU_PACE_H

#include <mcu/estimate.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mcu_pace {             /* zero it to begin */
    double level;             /* bytes that may leave; negative: owed */
    int64_t now;              /* when that was so, us */
    int64_t sound_at;         /* when its last packet left; 0: none did */
    uint32_t bits_per_second; /* that pictures may take of the line */
    bool full;                /* its queue */
    uint32_t probe;           /* bit/s of the one that lasts; 0: none does */
};

/* Time passes; and what pictures may take of the line may have changed. */
void mcu_pace_at(struct mcu_pace *pace, const struct mcu_line *line, int64_t now);
/* A packet of sound leaves now. */
void mcu_pace_sound(struct mcu_pace *pace, int64_t now);
/* Whether pictures wait for that. */
bool mcu_pace_narrow(const struct mcu_pace *pace);
/* Whether a packet of so many bytes may leave. */
bool mcu_pace_may(const struct mcu_pace *pace, size_t size);
/* The same of one that is sent again: before pictures that wait, but for one so long, from
 * when the line was wide, that sound would wait for it. */
bool mcu_pace_may_repair(const struct mcu_pace *pace, size_t size);
void mcu_pace_spend(struct mcu_pace *pace, size_t size);
/* How long a packet may be, `most` at most, on a line that carries so much in all. */
size_t mcu_pace_packet(uint32_t bits_per_second, size_t most);
/* When the next burst may begin: it is worth waking up for. */
int64_t mcu_pace_due(const struct mcu_pace *pace);

#endif
