#include "supply.h"

enum {
    WARM = 3, /* packets that are decoded to warm a decoder, at most */
    DTX = 2,  /* bytes of an Opus packet with nothing in it, at most (RFC 6716 2.1.9) */
    LOSS_WINDOW = 256 /* packets */
};

void mcu_supply_restart(struct mcu_supply *supply)
{
    mcu_queue_clear(&supply->queue);
    supply->last_sequence = -1;
    supply->last_duration = MCU_TICK;
    supply->ended = supply->held = false;
    supply->doubtful = 0;
    supply->loss = 0;
    supply->without_fec = MCU_SUPPLY_NO_FEC;
}

int64_t mcu_supply_played(const struct mcu_supply *supply)
{
    return supply->next - (int64_t)supply->weave.count;
}

static int32_t least(int64_t a, int64_t b) { return (int32_t)(a < b ? a : b); }

static enum mcu_audio_codec codec_of(const struct mcu_packet *packet)
{
    return (enum mcu_audio_codec)packet->codec;
}

/* -- counting -- */

static void count_concealed(struct mcu_supply *supply, int64_t samples)
{
    const int32_t concealed = least(samples, supply->doubtful);
    supply->stats->concealed += (uint64_t)concealed;
    supply->doubtful -= concealed;
}

void mcu_supply_late(struct mcu_supply *supply, int32_t samples)
{
    supply->stats->drops[MCU_HEARING_LATE]++;
    count_concealed(supply, samples);
}

static int64_t missing_before(const struct mcu_supply *supply, const struct mcu_packet *packet)
{
    const int64_t missing = packet->sequence - supply->last_sequence - 1;
    return supply->last_sequence < 0 || missing < 0 ? 0 : missing;
}

/* What was made up while nothing came: was it lost, too late, or did nobody say anything? */
static void settle_doubt(struct mcu_supply *supply, const struct mcu_packet *packet)
{
    const int64_t lost = missing_before(supply, packet) * supply->last_duration;
    const int64_t late = supply->next - packet->timestamp;
    if (lost > 0 || late > 0)
        count_concealed(supply, lost > late ? lost : late);
    supply->doubtful = 0;
}

/* The packet is played, or past. */
static void pass(struct mcu_supply *supply, const struct mcu_packet *packet)
{
    for (int32_t i = least(missing_before(supply, packet), LOSS_WINDOW); i > 0; i--)
        supply->loss += (1 - supply->loss) / LOSS_WINDOW;
    supply->loss -= supply->loss / LOSS_WINDOW;
    supply->last_sequence = packet->sequence;
    supply->last_duration = packet->duration;
    supply->ended = packet->codec == MCU_OPUS && packet->size && packet->size <= DTX;
    if (packet->size &&
        mcu_codec_has_fec(codec_of(packet), mcu_queue_payload(&supply->queue, packet),
                          packet->size))
        supply->without_fec = 0;
    else if (supply->without_fec < MCU_SUPPLY_NO_FEC)
        supply->without_fec++;
    mcu_queue_drop_head(&supply->queue);
}

/* -- packets -- */

/* The head is due, or `past` samples of it are past already. */
static void take(struct mcu_supply *supply, const struct mcu_packet *packet, int32_t past)
{
    const int32_t samples = packet->duration - past;
    settle_doubt(supply, packet);
    if (supply->held)
        mcu_weave_tear(&supply->weave);
    supply->held = false;
    if (!packet->size) {
        mcu_weave_make_up(&supply->weave, samples);
    } else if (!mcu_weave_decode(&supply->weave, codec_of(packet),
                                 mcu_queue_payload(&supply->queue, packet), packet->size,
                                 past)) {
        mcu_weave_make_up(&supply->weave, samples);
        supply->stats->drops[MCU_HEARING_MALFORMED]++;
        supply->stats->concealed += (uint64_t)samples;
    }
    supply->next += samples;
    pass(supply, packet);
}

static bool is_past(const struct mcu_supply *supply, const struct mcu_packet *packet)
{
    return packet->timestamp + packet->duration <= supply->next;
}

/* The next packet that is not past. */
static const struct mcu_packet *due(struct mcu_supply *supply)
{
    const struct mcu_packet *head;
    while ((head = mcu_queue_head(&supply->queue)) && is_past(supply, head)) {
        mcu_supply_late(supply, head->duration);
        pass(supply, head);
    }
    return head;
}

void mcu_supply_receive(struct mcu_supply *supply, size_t wanted)
{
    const struct mcu_packet *head;
    while (supply->weave.count < wanted && (head = due(supply)) &&
           head->timestamp <= supply->next)
        take(supply, head, (int32_t)(supply->next - head->timestamp));
}

/* -- gaps -- */

/* The head is here and begins later than what is due. */
static void bridge(struct mcu_supply *supply, const struct mcu_packet *head, int32_t wanted)
{
    const int64_t gap = head->timestamp - supply->next;
    const bool lost = missing_before(supply, head) > 0;
    int64_t before = gap;
    if (lost && gap > head->duration) {
        before = gap - head->duration; /* this much no FEC of it can recover */
    } else if (lost && head->size &&
               mcu_weave_recover(&supply->weave, codec_of(head),
                                 mcu_queue_payload(&supply->queue, head), head->size,
                                 (int32_t)gap)) {
        supply->stats->recovered += (uint64_t)gap;
        supply->next += gap;
        return;
    }
    const int32_t made = least(before, wanted);
    mcu_weave_make_up(&supply->weave, made);
    supply->next += made;
    if (lost)
        supply->stats->concealed += (uint64_t)made;
}

/* Nothing has come. It may have been lost, or be late, or not have been said. Returns how many
 * of the samples that are made up instead the stream's time stands still for. */
static int32_t wait(struct mcu_supply *supply, int32_t wanted, int32_t hold)
{
    const int32_t held = least(wanted, hold);
    mcu_weave_make_up(&supply->weave, wanted);
    supply->next += wanted - held;
    supply->held = supply->held || held > 0;
    supply->stats->stretched += (uint64_t)held;
    if (!supply->ended)
        supply->doubtful += wanted;
    return held;
}

void mcu_supply_fill(struct mcu_supply *supply, size_t wanted, int32_t hold)
{
    for (mcu_supply_receive(supply, wanted); supply->weave.count < wanted;
         mcu_supply_receive(supply, wanted)) {
        const struct mcu_packet *head = due(supply);
        const int32_t missing = (int32_t)(wanted - supply->weave.count);
        if (head)
            bridge(supply, head, missing);
        else
            hold -= wait(supply, missing, hold);
    }
}

/* -- moving in time -- */

void mcu_supply_sleep(struct mcu_supply *supply, int64_t time)
{
    const struct mcu_packet *head;
    mcu_weave_restart(&supply->weave); /* a decoder that has missed something begins anew */
    supply->doubtful = 0;
    supply->next = time;
    while ((head = mcu_queue_head(&supply->queue)) && is_past(supply, head) &&
           supply->queue.count > WARM)
        pass(supply, head);
}

void mcu_supply_wake(struct mcu_supply *supply)
{
    const struct mcu_packet *head;
    while ((head = mcu_queue_head(&supply->queue)) && is_past(supply, head)) {
        if (head->size)
            mcu_weave_warm(&supply->weave, codec_of(head),
                           mcu_queue_payload(&supply->queue, head), head->size);
        pass(supply, head);
    }
}

void mcu_supply_anchor(struct mcu_supply *supply, int64_t time)
{
    mcu_weave_tear(&supply->weave);
    supply->next = time + (int64_t)supply->weave.count;
}

void mcu_supply_move(struct mcu_supply *supply, int64_t time)
{
    const struct mcu_packet *head = mcu_queue_head(&supply->queue);
    mcu_weave_fall_silent(&supply->weave);
    supply->next = head && head->timestamp < time ? head->timestamp : time;
}

void mcu_supply_shed(struct mcu_supply *supply)
{
    const struct mcu_packet *head = mcu_queue_head(&supply->queue);
    const int64_t end = head->timestamp + head->duration;
    mcu_weave_tear(&supply->weave);
    supply->next = end > supply->next ? end : supply->next;
    supply->stats->drops[MCU_HEARING_OVERFLOW]++;
    pass(supply, head);
}

void mcu_supply_cut(struct mcu_supply *supply, int64_t samples)
{
    const int64_t until = supply->next + samples;
    const struct mcu_packet *head;
    while (supply->next < until && (head = mcu_queue_head(&supply->queue))) {
        if (head->timestamp < until) {
            mcu_supply_shed(supply);
        } else {
            mcu_weave_tear(&supply->weave);
            supply->next = until;
        }
    }
}
