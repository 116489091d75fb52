#include <mcu/rate.h>

#include <mcu/payload.h>

#include <math.h>

#define STEPS 4.0        /* of the quantiser, in which the bits halve */
#define BUCKET_S 0.5     /* of the rate */
#define UNUSED_S 0.12    /* of the rate, that may be made up for later */
#define REPAY 12.0       /* pictures in which what is owed is to be gone */
#define SHARE 0.5        /* of the room in the bucket, that one picture may take */
#define TOO_MUCH 1.5     /* times that: such a key frame is made again */
#define LEAST 0.3        /* of a picture's part of the rate, that it gets whatever is owed */
#define STILL 0.05       /* newness below which nothing moves */
#define FINER 6          /* steps, by which what stands still is finer than before */
#define KEY_FINER 2      /* steps, by which a key frame may be finer than what came before */
#define LEARNED 4        /* pictures: what the next one says counts a fourth */
#define PRICE_KEY (-0.6) /* log2, before any was seen: a sample, by measure */
#define PRICE_CHANGE 0.2 /* likewise */

void mcu_rate_begin(struct mcu_rate *rate, int bits_per_second, int fps, int samples)
{
    const double all = log2(samples);
    *rate = (struct mcu_rate){.bits_per_second = bits_per_second,
                              .fps = fps,
                              .last = INT64_MIN,
                              .key.log2 = all + PRICE_KEY,
                              .change.log2 = all + PRICE_CHANGE,
                              .qp = MCU_QP_MOST};
}

void mcu_rate_retarget(struct mcu_rate *rate, int bits_per_second)
{
    rate->bits_per_second = bits_per_second;
}

static double above(double value) { return value > STILL ? value : STILL; }

/* Seconds since the last picture, a picture's time at least. */
static double drain(struct mcu_rate *rate, int64_t timestamp)
{
    double seconds = 1 / rate->fps;
    if (rate->last != INT64_MIN)
        seconds = fmax((double)(timestamp - rate->last) / MCU_PICTURE_CLOCK, 0);
    rate->last = timestamp;
    rate->owed =
        fmax(rate->owed - rate->bits_per_second * seconds, -UNUSED_S * rate->bits_per_second);
    return fmin(fmax(seconds, 1 / rate->fps), 4 / rate->fps);
}

/* Bits that one picture may take. */
static double room_of(const struct mcu_rate *rate, double part)
{
    return SHARE * fmax(BUCKET_S * rate->bits_per_second - rate->owed, part);
}

static double steps(const struct mcu_price *price, double newness, double bits)
{
    return STEPS * (price->log2 + log2(above(newness)) - log2(bits));
}

static int within(double qp) { return (int)lround(fmin(fmax(qp, MCU_QP_LEAST), MCU_QP_MOST)); }

/* By how many steps a picture of what stands still may be finer than the last. All that is new
 * in it is what was coarse in that: no more than a key frame would say, and then no more
 * than those before said. */
static double finer(const struct mcu_rate *rate, struct mcu_newness newness, double room)
{
    const double by = rate->still > 0 ? STEPS * log2(room / rate->still)
                                      : rate->qp - steps(&rate->key, newness.whole, room);
    return fmin(fmax(by, 0), FINER);
}

int mcu_rate_choose(struct mcu_rate *rate, int64_t timestamp, bool key,
                    struct mcu_newness newness)
{
    const bool first = rate->last == INT64_MIN;
    const double part = rate->bits_per_second * drain(rate, timestamp);
    const double room = room_of(rate, part);
    double qp;
    if (key) {
        qp = fmax(steps(&rate->key, newness.whole, room),
                  (first ? MCU_QP_FINE : rate->qp) - KEY_FINER);
    } else if (newness.since < STILL) {
        qp = rate->qp - finer(rate, newness, room);
    } else {
        rate->usual = rate->usual > 0 ? rate->usual + (newness.since - rate->usual) / LEARNED
                                      : newness.since;
        const double given = fmax(part - rate->owed / REPAY, LEAST * part);
        qp = fmax(steps(&rate->change, rate->usual, given),
                  steps(&rate->change, newness.since, room));
        qp = fmax(qp, MCU_QP_FINE);
    }
    return rate->qp = within(qp);
}

static void learn(struct mcu_price *price, double newness, double bits, int qp)
{
    const double said = log2(bits) + qp / STEPS - log2(above(newness));
    price->seen += price->seen < LEARNED;
    price->log2 += (said - price->log2) / price->seen;
}

bool mcu_rate_is_too_much(const struct mcu_rate *rate, size_t bytes)
{
    const double room = room_of(rate, rate->bits_per_second / rate->fps);
    return 8.0 * (double)bytes > TOO_MUCH * room && rate->qp < MCU_QP_MOST;
}

void mcu_rate_refuse(struct mcu_rate *rate, struct mcu_newness newness, size_t bytes)
{
    rate->key.seen = 0; /* what was seen before was other pictures */
    learn(&rate->key, newness.whole, 8.0 * (double)bytes, rate->qp);
}

void mcu_rate_took(struct mcu_rate *rate, bool key, struct mcu_newness newness, size_t bytes)
{
    const double bits = 8.0 * (double)(bytes ? bytes : 1);
    rate->owed += bits;
    rate->still = !key && newness.since < STILL ? fmax(rate->still, bits) : 0;
    if (key)
        learn(&rate->key, newness.whole, bits, rate->qp);
    else if (newness.since >= STILL)
        learn(&rate->change, newness.since, bits, rate->qp);
}
