/* The layers of a picture (RFC 8853): which are wanted, which is handed out, which come. */
#include "packets.h"
#include "waiting.h"

#include <errno.h>
#include <limits.h>

/* A layer has stopped when nothing of it came for so long, while others brought so many
 * pictures: a camera that is slow in all of them has not. */
#define STOPPED_AFTER_US 500000
#define STOPPED_AFTER_PICTURES 8

static struct in_stream *layer_at(const struct leg *leg, enum mcu_source source, int layer)
{
    struct in_stream *stream = layer < 0 ? NULL : leg->in[source];
    while (stream && stream->layer != layer)
        stream = stream->next;
    return stream;
}

bool layers_wanted(const struct leg *leg, const struct in_stream *stream)
{
    const struct choice *choice = &leg->choices[stream->source];
    return stream->layer == choice->wanted || stream->layer == choice->given;
}

/* Nothing of the layer is put together any more. */
static void rest(struct mcu_plane *plane, struct in_stream *stream)
{
    if (!stream)
        return;
    mcu_frames_rest(stream->frames);
    waiting_set(plane, stream, false);
}

/* -- what is chosen -- */

static void choose(struct mcu_plane *plane, struct leg *leg, enum mcu_source source, int layer)
{
    struct choice *choice = &leg->choices[source];
    const int former = choice->wanted;
    choice->wanted = layer;
    if (layer < 0) {
        rest(plane, layer_at(leg, source, choice->given));
        choice->given = -1;
    }
    if (former != layer && former != choice->given)
        rest(plane, layer_at(leg, source, former));
}

int mcu_plane_choose(struct mcu_plane *plane, int handle, enum mcu_source source, int layer,
                     bool thin)
{
    int why = 0;
    plane_lock(plane);
    struct leg *leg = plane_leg(plane, handle);
    if (!leg)
        why = ENOENT;
    else if ((source != MCU_CAMERA && source != MCU_SCREEN) || !leg->in[source] ||
             layer < -1 || (layer >= 0 && !layer_at(leg, source, layer)))
        why = EINVAL;
    if (!why) {
        choose(plane, leg, source, layer);
        leg->choices[source].thin = thin;
    }
    plane_unlock(plane);
    errno = why;
    return why ? -1 : 0;
}

/* -- what is given -- */

/* Lower temporal layers do not need the higher ones. One that was left out is taken up again
 * where it needs nothing but the lowest: at Y, or at a key frame (RFC 7741 section 4.2). */
static bool temporal_given(struct choice *choice, const struct mcu_picture *picture)
{
    if (picture->temporal > choice->top)
        choice->top = picture->temporal;
    const int most = choice->thin && choice->top ? choice->top - 1 : INT_MAX;
    if (choice->temporal > most || picture->key)
        choice->temporal = most;
    if (picture->layer_sync && picture->temporal > choice->temporal &&
        picture->temporal <= most)
        choice->temporal = picture->temporal;
    return picture->temporal <= choice->temporal;
}

bool layers_give(struct mcu_plane *plane, struct leg *leg, const struct in_stream *stream,
                 const struct mcu_picture *picture)
{
    struct choice *choice = &leg->choices[stream->source];
    if (stream->layer == choice->wanted && choice->given != choice->wanted) {
        rest(plane, layer_at(leg, stream->source, choice->given));
        choice->given = choice->wanted;
        choice->top = 0;
    }
    return stream->layer == choice->given && temporal_given(choice, picture);
}

/* -- what comes -- */

/* All layers of a camera are the same picture: when it turns or shrinks, all do. */
void layers_sized(struct leg *leg, struct in_stream *stream, uint32_t width, uint32_t height)
{
    for (struct in_stream *other = leg->in [stream->source]; other; other = other->next) {
        if (other == stream || !stream->width || !stream->height)
            continue;
        other->width = (uint32_t)((uint64_t)other->width * width / stream->width);
        other->height = (uint32_t)((uint64_t)other->height * height / stream->height);
    }
    stream->width = width;
    stream->height = height;
}

static bool has_stopped(const struct in_stream *stream, const struct choice *choice,
                        int64_t now)
{
    return now - stream->came_at >= STOPPED_AFTER_US &&
           choice->pictures - stream->came_of >= STOPPED_AFTER_PICTURES;
}

/* What cannot be said now, for too much was, is said with the next packet. */
static void tell(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                 bool comes)
{
    if (stream->told_comes == comes && stream->told_width == stream->width &&
        stream->told_height == stream->height)
        return;
    if (leg->said >= SAYS_MOST)
        return;
    stream->told_comes = comes;
    stream->told_width = stream->width;
    stream->told_height = stream->height;
    leg_say(in->plane, leg,
            &(struct mcu_event){.kind = MCU_EVENT_LAYER,
                                .leg = leg->handle,
                                .a = stream->source,
                                .b = stream->layer,
                                .c = comes,
                                .width = stream->width,
                                .height = stream->height});
}

void layers_came(const struct arrival *in, struct leg *leg, struct in_stream *stream,
                 bool ends_picture)
{
    struct choice *choice = &leg->choices[stream->source];
    if (!stream->options.rid_count)
        return;
    choice->pictures += ends_picture;
    stream->came_at = in->now;
    stream->came_of = choice->pictures;
    for (struct in_stream *other = leg->in [stream->source]; other; other = other->next)
        if (other->latched)
            tell(in, leg, other, !has_stopped(other, choice, in->now));
}
