/* A report of arrivals, read. */
#include <mcu/feedback.h>

#include "../wire/bytes.h"
#include "statuses.h"

/* Takes the next chunk apart; its statuses, at most `left`. */
static void take_chunk(struct mcu_feedback *feedback)
{
    const unsigned chunk = get16(feedback->chunk);
    feedback->chunk += 2;
    if (!(chunk & 0x8000)) {
        feedback->bits = 0;
        feedback->run = chunk & RUN_MOST;
        feedback->vector = chunk >> 13 & 3;
        return;
    }
    feedback->bits = chunk & 0x4000 ? 2 : 1;
    feedback->run = chunk & 0x4000 ? TWO_BIT : ONE_BIT;
    feedback->vector = chunk & 0x3FFF;
}

/* The next status, of the chunks only: what they say is left is known to be there. */
static unsigned next_status(struct mcu_feedback *feedback)
{
    while (!feedback->run) /* a run of none is allowed, and of no use */
        take_chunk(feedback);
    feedback->run--;
    feedback->left--;
    if (!feedback->bits)
        return feedback->vector;
    const unsigned mask = (1u << feedback->bits) - 1;
    return feedback->vector >> feedback->bits * feedback->run & mask;
}

/* Goes over the chunks once: where the deltas begin, and whether they are all there. */
static int survey(struct mcu_feedback *feedback)
{
    struct mcu_feedback ahead = *feedback;
    size_t deltas = 0;
    while (ahead.left) {
        if (!ahead.run) {
            if (ahead.end - ahead.chunk < 2)
                return -1;
            take_chunk(&ahead);
            continue;
        }
        const unsigned status = next_status(&ahead);
        if (status > LARGE)
            return -1; /* reserved: nobody knows how long its delta is */
        deltas += status;
    }
    feedback->delta = ahead.chunk;
    return deltas <= (size_t)(feedback->end - ahead.chunk) ? 0 : -1;
}

int mcu_feedback_open(struct mcu_feedback *feedback, const uint8_t *body, size_t size)
{
    if (size < FIXED || get16(body + 2) > MCU_FEEDBACK_MOST)
        return -1;
    *feedback = (struct mcu_feedback){.chunk = body + FIXED,
                                      .end = body + size,
                                      .number = get16(body),
                                      .left = get16(body + 2),
                                      .reference = get24(body + 4)};
    return survey(feedback);
}

bool mcu_feedback_next(struct mcu_feedback *feedback, struct mcu_feedback_packet *packet)
{
    if (!feedback->left)
        return false;
    const unsigned status = next_status(feedback);
    if (status == SMALL)
        feedback->at += feedback->delta[0];
    if (status == LARGE)
        feedback->at += (int16_t)get16(feedback->delta);
    feedback->delta += status; /* a byte, or two */
    *packet = (struct mcu_feedback_packet){.number = feedback->number++,
                                           .received = status != ABSENT,
                                           .at = feedback->at * DELTA_US};
    return true;
}
