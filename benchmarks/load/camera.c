#include "load.h"

#include <string.h>

enum {
    PAYLOAD = 1150, /* bytes at most: with header, extensions and SRTP below 1,280 */
    PIECES = 512    /* packets of a picture at most */
};

static size_t put_text(uint8_t *out, uint8_t id, const char *text)
{
    const size_t size = strlen(text);
    if (!id || !size)
        return 0;
    out[0] = (uint8_t)(id << 4 | (size - 1));
    memcpy(out + 1, text, size);
    return size + 1;
}

/* RFC 3550 section 5.1, with mid and rid in the one-byte form of RFC 8285. */
static size_t write_header(const struct leg *leg, const struct layer *layer, bool marker,
                           uint8_t *out)
{
    const uint16_t sequence = layer->sequence;
    const uint32_t words[] = {layer->timestamp, layer->ssrc};
    memset(out, 0, MCU_RTP_HEADER_MAX);
    out[0] = 0x90;
    out[1] = (uint8_t)(marker << 7 | layer->type);
    out[2] = (uint8_t)(sequence >> 8);
    out[3] = (uint8_t)sequence;
    for (int i = 0; i < 8; i++)
        out[4 + i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
    out[12] = 0xbe;
    out[13] = 0xde;
    size_t size = 16;
    size += put_text(out + size, leg->extensions.mid, leg->mid);
    size += put_text(out + size, leg->extensions.rid, layer->rid);
    size = (size + 3) / 4 * 4;
    out[15] = (uint8_t)((size - 16) / 4);
    return size;
}

static void send_piece(struct leg *leg, struct layer *layer, const struct mcu_piece *piece,
                       bool marker)
{
    struct kept *kept = &layer->kept[layer->sequence % KEPT];
    kept->is = false;
    kept->sequence = layer->sequence;
    kept->size = write_header(leg, layer, marker, kept->data);
    kept->size += mcu_piece_write(piece, kept->data + kept->size);
    layer->sequence++;
    if (leg->sending && mcu_srtp_protect(leg->sending, kept->data, &kept->size)) {
        leg->send_failed++;
        return;
    }
    kept->is = true;
    layer->packets++;
    put(leg, kept->data, kept->size);
}

static void send_picture(struct leg *leg, struct layer *layer, int64_t now, FILE *recording)
{
    static struct mcu_piece pieces[PIECES];
    const uint8_t *head = layer->pictures.data + layer->pictures.at[layer->next];
    const size_t size =
        (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
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
        put(leg, kept->data, kept->size);
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
