#include "arrivals.h"

#include <mcu/codec.h>

#include <string.h>

enum {
    KNOWN = 50,           /* arrivals after which the first delay is left; never forgotten */
    PAUSE = 5 * MCU_RATE, /* two clocks have drifted apart since: begin again */
    SOONER = MCU_DELAY_MOST, /* than any before: the stream's time has jumped */
    FURTHEST = 1 << 30,      /* from the first: begin again while 32 bits can tell */
};

static int32_t slot(const struct mcu_arrivals *arrivals, int32_t index)
{
    return (arrivals->first + index) % MCU_ARRIVALS;
}

static void begin(struct mcu_arrivals *arrivals, int64_t zero)
{
    memset(arrivals, 0, sizeof *arrivals);
    arrivals->zero = zero;
    arrivals->group = INT64_MIN;
    arrivals->unranked = true;
}

/* -- the fastest and the latest, which nearly no arrival changes -- */

static void rank(struct mcu_arrivals *arrivals, int32_t late)
{
    int32_t place = MCU_ARRIVALS_LATEST - 1;
    arrivals->fastest = late < arrivals->fastest ? late : arrivals->fastest;
    if (late <= arrivals->latest[place])
        return;
    for (; place && arrivals->latest[place - 1] < late; place--)
        arrivals->latest[place] = arrivals->latest[place - 1];
    arrivals->latest[place] = late;
}

static void rank_all(struct mcu_arrivals *arrivals)
{
    arrivals->unranked = false;
    arrivals->fastest = INT32_MAX;
    for (int32_t i = 0; i < MCU_ARRIVALS_LATEST; i++)
        arrivals->latest[i] = INT32_MIN;
    for (int32_t i = 0; i < arrivals->count; i++)
        rank(arrivals, arrivals->late[slot(arrivals, i)]);
}

/* -- what is remembered -- */

static void forget_oldest(struct mcu_arrivals *arrivals)
{
    const int32_t late = arrivals->late[arrivals->first];
    if (late <= arrivals->fastest || late >= arrivals->latest[MCU_ARRIVALS_LATEST - 1])
        arrivals->unranked = true;
    arrivals->first = slot(arrivals, 1);
    arrivals->count--;
}

static void forget_old(struct mcu_arrivals *arrivals, int64_t now)
{
    while (arrivals->count > KNOWN &&
           now - arrivals->at[arrivals->first] > MCU_ARRIVALS_WINDOW)
        forget_oldest(arrivals);
}

/* Packets of less than 20 ms share a place: the first of them has waited the longest. */
static void remember(struct mcu_arrivals *arrivals, int64_t group, int32_t late, int64_t now)
{
    const int32_t newest = slot(arrivals, arrivals->count - 1);
    if (arrivals->count && group == arrivals->group) {
        if (late > arrivals->late[newest]) {
            arrivals->late[newest] = late;
            arrivals->unranked = true;
        }
        return;
    }
    if (arrivals->count == MCU_ARRIVALS)
        forget_oldest(arrivals);
    const int32_t next = slot(arrivals, arrivals->count++);
    arrivals->late[next] = late;
    arrivals->at[next] = now;
    arrivals->group = group;
    rank(arrivals, late);
}

/* The few latest are given up; the next is what sound has to wait for. */
static void look(struct mcu_arrivals *arrivals)
{
    if (arrivals->unranked)
        rank_all(arrivals);
    arrivals->spread =
        arrivals->latest[arrivals->count / MCU_ARRIVALS_IN_TIME] - arrivals->fastest;
}

void mcu_arrivals_came(struct mcu_arrivals *arrivals, int64_t timestamp, int64_t now)
{
    const int64_t zero = now - timestamp;
    if (!arrivals->count || now - arrivals->at[slot(arrivals, arrivals->count - 1)] > PAUSE ||
        zero - arrivals->zero < (int64_t)arrivals->fastest - SOONER ||
        zero - arrivals->zero < -FURTHEST || arrivals->fastest > FURTHEST)
        begin(arrivals, zero);
    const int64_t late = zero - arrivals->zero;
    if (arrivals->count &&
        late > (int64_t)arrivals->fastest + MCU_DELAY_MOST - MCU_DELAY_LEAST)
        return; /* nothing that we would wait for would have saved it */
    remember(arrivals, timestamp / MCU_TICK, (int32_t)late, now);
    forget_old(arrivals, now);
    look(arrivals);
}

void mcu_arrivals_forget(struct mcu_arrivals *arrivals) { arrivals->count = 0; }

/* How long after the fastest packets sound is to be played. */
static int32_t delay_of(const struct mcu_arrivals *arrivals)
{
    const int32_t delay = arrivals->spread + MCU_DELAY_LEAST;
    if (arrivals->count < KNOWN && delay < MCU_DELAY_FIRST)
        return MCU_DELAY_FIRST;
    return delay < MCU_DELAY_MOST ? delay : MCU_DELAY_MOST;
}

int64_t mcu_arrivals_offset(const struct mcu_arrivals *arrivals)
{
    return arrivals->zero + arrivals->fastest + delay_of(arrivals);
}
