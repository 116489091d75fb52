#include "supply.h"

#include <string.h>

enum {
    PIECE = 480, /* made up at a time: the SILK of Opus makes no less than 10 ms */
    FULL = 2880, /* made up before it fades: 60 ms */
    JOIN = 240,  /* two pieces that do not belong together are joined in 5 ms */
    WARM = 3,    /* packets that are decoded to warm a decoder, at most */
    DTX = 2,     /* bytes of an Opus packet with nothing in it, at most (RFC 6716 2.1.9) */
    LOSS_WINDOW = 256 /* packets */
};

void mcu_supply_free(struct mcu_supply *supply)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++)
        mcu_decoder_free(supply->decoders[codec]);
}

static void fall_silent(struct mcu_supply *supply)
{
    supply->count = 0;
    supply->silent = supply->doubtful = 0;
    supply->made = MCU_SUPPLY_FADED;
}

void mcu_supply_restart(struct mcu_supply *supply)
{
    mcu_queue_clear(&supply->queue);
    supply->codec = -1;
    supply->last_sequence = -1;
    supply->last_duration = MCU_TICK;
    supply->ended = supply->torn = false;
    supply->loss = 0;
    supply->without_fec = MCU_SUPPLY_NO_FEC;
    fall_silent(supply);
}

bool mcu_supply_is_silent(const struct mcu_supply *supply)
{
    return supply->made >= MCU_SUPPLY_FADED && (size_t)supply->silent >= supply->count;
}

/* -- decoders -- */

static struct mcu_decoder *present(const struct mcu_supply *supply)
{
    return supply->codec < 0 ? NULL : supply->decoders[supply->codec];
}

/* The decoder of a codec, which is the present one from now on. NULL: no memory. */
static struct mcu_decoder *decoder_for(struct mcu_supply *supply, int codec)
{
    struct mcu_decoder **decoder = &supply->decoders[codec];
    if (!*decoder)
        *decoder = mcu_decoder_new((enum mcu_audio_codec)codec);
    else if (codec != supply->codec)
        mcu_decoder_reset(*decoder);
    if (*decoder)
        supply->codec = codec;
    return *decoder;
}

/* -- what waits -- */

/* How loud what is made up is, by how much was made before it. */
static float gain_after(int32_t made)
{
    if (made <= FULL)
        return 1;
    return made >= MCU_SUPPLY_FADED
               ? 0
               : (float)(MCU_SUPPLY_FADED - made) / (MCU_SUPPLY_FADED - FULL);
}

static int16_t *room(struct mcu_supply *supply) { return supply->samples + supply->count; }

static void add_silence(struct mcu_supply *supply, int32_t samples)
{
    memset(room(supply), 0, (size_t)samples * sizeof(int16_t));
    supply->count += (size_t)samples;
    supply->silent += samples;
}

static void add_piece(struct mcu_supply *supply)
{
    int16_t *out = room(supply);
    mcu_conceal(present(supply), PIECE, out);
    if (supply->made + PIECE > FULL)
        for (int i = 0; i < PIECE; i++)
            out[i] = (int16_t)((float)out[i] * gain_after(supply->made + i));
    supply->made += PIECE;
    supply->count += PIECE;
    supply->silent = 0;
}

/* Makes up `samples` or, in whole pieces, a little more; returns how many. */
static int32_t make_up(struct mcu_supply *supply, int32_t samples)
{
    int32_t made = 0;
    for (; made < samples && supply->made < MCU_SUPPLY_FADED && present(supply); made += PIECE)
        add_piece(supply);
    if (made < samples) {
        supply->made = MCU_SUPPLY_FADED;
        add_silence(supply, samples - made);
        made = samples;
    }
    return made;
}

/* What was made up goes over into `samples`, which come after it. `tail`: how it would go on;
 * NULL: `samples` go on from it by themselves and only their loudness has to come back. */
static void join(int16_t *samples, int32_t count, const int16_t *tail, float gain)
{
    const int32_t length = count < JOIN ? count : JOIN;
    for (int32_t i = 0; i < length; i++) {
        const float rise = (float)(i + 1) / (float)(length + 1);
        const float from = gain * (float)(tail ? tail[i] : samples[i]);
        samples[i] = (int16_t)((float)samples[i] * rise + from * (1 - rise));
    }
}

/* `made` samples that came were written to the end; the first `past` of them are too late. */
static void add_decoded(struct mcu_supply *supply, int32_t made, int32_t past,
                        const int16_t *tail)
{
    int16_t *at = room(supply);
    const int32_t kept = made - past;
    if (past)
        memmove(at, at + past, (size_t)kept * sizeof *at);
    const float gain = gain_after(supply->made);
    if (tail || gain < 1)
        join(at, kept, tail, gain);
    supply->count += (size_t)kept;
    supply->made = supply->silent = 0;
}

/* -- packets -- */

void mcu_supply_late(struct mcu_supply *supply, int32_t samples)
{
    const int32_t concealed = samples < supply->doubtful ? samples : supply->doubtful;
    supply->stats->drops[MCU_HEARING_LATE]++;
    supply->stats->concealed += (uint64_t)concealed;
    supply->doubtful -= concealed;
}

/* What was made up while nothing came: was it lost, too late, or did nobody say anything? */
static void settle_doubt(struct mcu_supply *supply, const struct mcu_packet *packet)
{
    const int64_t missing = packet->sequence - supply->last_sequence - 1;
    const int64_t late = supply->next - packet->timestamp;
    int64_t lost = supply->last_sequence < 0 ? 0 : missing * supply->last_duration;
    lost = late > lost ? late : lost;
    if (lost > 0)
        supply->stats->concealed +=
            (uint64_t)(lost < supply->doubtful ? lost : supply->doubtful);
    supply->doubtful = 0;
}

static void count_loss(struct mcu_supply *supply, int64_t sequence)
{
    const int64_t missing =
        supply->last_sequence < 0 ? 0 : sequence - supply->last_sequence - 1;
    for (int64_t i = 0; i < missing && i < LOSS_WINDOW; i++)
        supply->loss += (1 - supply->loss) / LOSS_WINDOW;
    supply->loss -= supply->loss / LOSS_WINDOW;
}

static bool has_fec(const struct mcu_supply *supply, const struct mcu_packet *packet)
{
    return packet->size &&
           mcu_codec_has_fec((enum mcu_audio_codec)packet->codec,
                             mcu_queue_payload(&supply->queue, packet), packet->size);
}

/* The packet is played, or past. */
static void pass(struct mcu_supply *supply, const struct mcu_packet *packet)
{
    count_loss(supply, packet->sequence);
    supply->last_sequence = packet->sequence;
    supply->last_duration = packet->duration;
    supply->ended = packet->codec == MCU_OPUS && packet->size <= DTX && packet->size;
    if (has_fec(supply, packet))
        supply->without_fec = 0;
    else if (supply->without_fec < MCU_SUPPLY_NO_FEC)
        supply->without_fec++;
    mcu_queue_drop_head(&supply->queue);
}

/* Writes the packet's samples to the end of what waits; -1: they cannot be had. `tail`
 * (PIECE): how what is there would go on, where that is needed (*needed). */
static int32_t decode(struct mcu_supply *supply, const struct mcu_packet *packet,
                      int16_t *tail, bool *needed)
{
    *needed = *needed || packet->codec != supply->codec;
    *needed = *needed && present(supply) && supply->made < MCU_SUPPLY_FADED;
    if (*needed)
        mcu_conceal(present(supply), PIECE, tail);
    struct mcu_decoder *decoder = decoder_for(supply, packet->codec);
    if (!decoder)
        return -1;
    return mcu_decode(decoder, mcu_queue_payload(&supply->queue, packet), packet->size,
                      room(supply));
}

/* The head is due, or `past` samples of it are past already. */
static void take(struct mcu_supply *supply, const struct mcu_packet *packet, int32_t past)
{
    int16_t tail[PIECE];
    bool needed = past > 0 || supply->torn;
    settle_doubt(supply, packet);
    const int32_t made = packet->size ? decode(supply, packet, tail, &needed) : 0;
    int32_t added = packet->duration - past;
    if (made > past) {
        add_decoded(supply, made, past, needed ? tail : NULL);
    } else {
        added = make_up(supply, added);
        if (packet->size) {
            supply->stats->drops[MCU_HEARING_MALFORMED]++;
            supply->stats->concealed += (uint64_t)added;
        }
    }
    supply->torn = false;
    supply->next += added;
    pass(supply, packet);
}

/* The next packet that is not past. */
static const struct mcu_packet *due(struct mcu_supply *supply)
{
    const struct mcu_packet *head;
    while ((head = mcu_queue_head(&supply->queue)) &&
           head->timestamp + head->duration <= supply->next) {
        mcu_supply_late(supply, head->duration);
        pass(supply, head);
    }
    return head;
}

void mcu_supply_receive(struct mcu_supply *supply, size_t wanted)
{
    const struct mcu_packet *head;
    while (supply->count < wanted && (head = due(supply)) && head->timestamp <= supply->next)
        take(supply, head, (int32_t)(supply->next - head->timestamp));
}

/* -- moving in time -- */

static bool head_is_past(const struct mcu_supply *supply)
{
    const struct mcu_packet *head = mcu_queue_head(&supply->queue);
    return head && head->timestamp + head->duration <= supply->next;
}

void mcu_supply_sleep(struct mcu_supply *supply, int64_t time)
{
    fall_silent(supply);
    supply->codec = -1; /* a decoder that has missed something begins anew */
    supply->next = time;
    while (head_is_past(supply) && supply->queue.count > WARM)
        pass(supply, mcu_queue_head(&supply->queue));
}

void mcu_supply_wake(struct mcu_supply *supply)
{
    while (head_is_past(supply)) {
        const struct mcu_packet *head = mcu_queue_head(&supply->queue);
        struct mcu_decoder *decoder = head->size ? decoder_for(supply, head->codec) : NULL;
        if (decoder)
            (void)mcu_decode(decoder, mcu_queue_payload(&supply->queue, head), head->size,
                             supply->samples);
        pass(supply, head);
    }
}

void mcu_supply_move(struct mcu_supply *supply, int64_t time)
{
    const struct mcu_packet *head = mcu_queue_head(&supply->queue);
    fall_silent(supply);
    supply->next = head && head->timestamp < time ? head->timestamp : time;
}

void mcu_supply_cut(struct mcu_supply *supply, int64_t samples)
{
    const int64_t until = supply->next + samples;
    const struct mcu_packet *head;
    while (supply->next < until && (head = mcu_queue_head(&supply->queue))) {
        supply->torn = true;
        if (head->timestamp >= until) {
            supply->next = until;
        } else {
            supply->next = head->timestamp + head->duration;
            supply->stats->drops[MCU_HEARING_OVERFLOW]++;
            pass(supply, head);
        }
    }
}

/* -- gaps -- */

/* The packet before the head, out of the head. `gap`: samples up to it. */
static bool recover(struct mcu_supply *supply, const struct mcu_packet *head, int32_t gap)
{
    int16_t tail[PIECE];
    struct mcu_decoder *decoder = present(supply);
    if (!decoder || head->codec != supply->codec || gap > head->duration ||
        !has_fec(supply, head))
        return false;
    const int32_t past = head->duration - gap;
    if (past && supply->made < MCU_SUPPLY_FADED)
        mcu_conceal(decoder, PIECE, tail);
    const int made = mcu_decode_fec(decoder, mcu_queue_payload(&supply->queue, head),
                                    head->size, head->duration, room(supply));
    if (made != head->duration)
        return false;
    add_decoded(supply, made, past, past && supply->made < MCU_SUPPLY_FADED ? tail : NULL);
    supply->stats->recovered += (uint64_t)gap;
    return true;
}

static int32_t least(int64_t a, int64_t b) { return (int32_t)(a < b ? a : b); }

/* The head is here and begins later than what is due. */
static void bridge(struct mcu_supply *supply, const struct mcu_packet *head, int32_t wanted)
{
    const int64_t gap = head->timestamp - supply->next;
    const bool lost =
        supply->last_sequence >= 0 && head->sequence != supply->last_sequence + 1;
    if (lost && gap <= head->duration && recover(supply, head, (int32_t)gap)) {
        supply->next = head->timestamp;
        return;
    }
    const int64_t before = lost && gap > head->duration ? gap - head->duration : gap;
    const int32_t made = make_up(supply, least(before, wanted));
    if (lost)
        supply->stats->concealed += (uint64_t)made;
    supply->next += made;
}

/* Nothing has come. It may have been lost, or be late, or not have been said. Returns how many
 * of the samples that are made up instead the stream's time stands still for. */
static int32_t wait(struct mcu_supply *supply, int32_t wanted, int32_t hold)
{
    const int32_t made = make_up(supply, wanted), held = least(made, hold);
    supply->next += made - held;
    supply->stats->stretched += (uint64_t)held;
    if (!supply->ended)
        supply->doubtful += made;
    return held;
}

void mcu_supply_fill(struct mcu_supply *supply, size_t wanted, int32_t hold)
{
    for (mcu_supply_receive(supply, wanted); supply->count < wanted;
         mcu_supply_receive(supply, wanted)) {
        const struct mcu_packet *head = due(supply);
        const int32_t missing = (int32_t)(wanted - supply->count);
        if (head)
            bridge(supply, head, missing);
        else
            hold -= wait(supply, missing, hold);
    }
}

void mcu_supply_replace(struct mcu_supply *supply, size_t old, const int16_t *samples,
                        size_t count)
{
    int16_t *at = supply->samples;
    memmove(at + count, at + old, (supply->count - old) * sizeof *at);
    memcpy(at, samples, count * sizeof *at);
    supply->count = supply->count - old + count;
    if (count > old)
        supply->stats->stretched += count - old;
    else
        supply->stats->shrunk += old - count;
}

void mcu_supply_use(struct mcu_supply *supply, size_t used)
{
    supply->count -= used;
    memmove(supply->samples, supply->samples + used, supply->count * sizeof *supply->samples);
    if ((size_t)supply->silent > supply->count)
        supply->silent = (int32_t)supply->count;
}
