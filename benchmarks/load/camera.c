#include "load.h"

#include <string.h>

enum {
    PAYLOAD = 1150, /* bytes at most: with header, extensions and SRTP below 1,280 */
    PIECES = 512    /* packets of a picture at most */
};

static void send_piece(struct leg *leg, struct layer *layer, const struct mcu_piece *piece,
                       bool marker)
{
    struct kept *kept = &layer->kept[layer->sequence % KEPT];
    kept->is = false;
    kept->sequence = layer->sequence;
    const struct mcu_rtp header = {.payload_type = layer->type,
                                   .marker = marker,
                                   .sequence = layer->sequence,
                                   .timestamp = layer->timestamp,
                                   .ssrc = layer->ssrc,
                                   .mid = leg->mid,
                                   .mid_size = strlen(leg->mid),
                                   .rid = layer->rid,
                                   .rid_size = strlen(layer->rid),
                                   .level = -1};
    kept->size = mcu_rtp_write(kept->data, &header, &leg->extensions);
    kept->size += mcu_piece_write(piece, kept->data + kept->size);
    layer->sequence++;
    if (leg->sending && mcu_srtp_protect(leg->sending, kept->data, &kept->size)) {
        leg->send_failed++;
        return;
    }
    kept->is = true;
    layer->packets++;
    put_paced(leg, kept->data, kept->size);
}

static void send_picture(struct leg *leg, struct layer *layer, int64_t now, FILE *recording)
{
    static struct mcu_piece pieces[PIECES];
    const uint8_t *head = layer->pictures.data + layer->pictures.at[layer->next];
    const size_t size = little(head, 4);
    const int count = mcu_payload_cut(layer->codec, head + 4, size, PAYLOAD,
                                      layer->picture_id++ & 0x7fff, pieces, PIECES);
    layer->timestamp = (uint32_t)(now * 9 / 100);
    if (leg->record & RECORD_PICTURES)
        record(recording, leg, RECORDED_SENT | RECORDED_PICTURE, now, (uint16_t)layer->next,
               layer->timestamp, NULL, 0);
    for (int i = 0; i < count; i++)
        send_piece(leg, layer, &pieces[i], i == count - 1);
    layer->next = (layer->next + 1) % layer->pictures.count;
    layer->sent++;
}

void send_pictures(struct leg *leg, int64_t now, FILE *recording)
{
    for (size_t i = 0; i < leg->layer_count; i++)
        send_picture(leg, &leg->layers[i], now, recording);
}

static void send_again(struct leg *leg, struct layer *layer, uint16_t sequence)
{
    const struct kept *kept = &layer->kept[sequence % KEPT];
    if (kept->is && kept->sequence == sequence) {
        put_paced(leg, kept->data, kept->size);
        layer->again++;
    }
}

void camera_asked(struct leg *leg, const struct mcu_rtcp_event *event)
{
    for (size_t i = 0; i < leg->layer_count; i++) {
        struct layer *layer = &leg->layers[i];
        if (layer->ssrc != event->media_ssrc)
            continue;
        if (event->kind != MCU_RTCP_NACK) {
            layer->next = 0;
            layer->keys_asked++;
            continue;
        }
        send_again(leg, layer, event->pid);
        for (int bit = 0; bit < 16; bit++)
            if (event->mask >> bit & 1)
                send_again(leg, layer, (uint16_t)(event->pid + bit + 1));
    }
}
