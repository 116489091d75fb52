/* Simulcast (RFC 8853): layers are told apart, chosen, switched at key frames, and watched. */
#include "client.h"
#include "tests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RID_ID 4
#define REPAIRED_ID 5
#define LAYERS 3

/* A browser that sends layers "a", "b", "c" of 80x60, 160x120 and 320x240. */
struct sender {
    struct client client;
    uint16_t sequences[LAYERS];
    bool named; /* packets say which layer they are of */
};

static const char *const names[LAYERS] = {"a", "b", "c"};

static uint32_t ssrc_of(int layer) { return 7000 + (uint32_t)layer; }

static struct mcu_stream_options camera(void)
{
    struct mcu_stream_options options = camera_options(RTX_TYPE);
    options.extensions =
        (struct mcu_rtp_extensions){.mid = MID_ID, .rid = RID_ID, .repaired = REPAIRED_ID};
    options.rid_count = LAYERS;
    for (int layer = 0; layer < LAYERS; layer++)
        strcpy(options.rids[layer], names[layer]);
    return options;
}

static void join_sender(struct sender *sender, struct mcu_plane *plane)
{
    const struct mcu_stream_options options = camera();
    memset(sender, 0, sizeof *sender);
    add_client(&sender->client, plane, -1);
    CHECK(mcu_plane_add_stream(plane, sender->client.leg, &options) == 0);
    enter(&sender->client);
    sender->named = true;
}

static void choose(struct sender *sender, int layer)
{
    CHECK(mcu_plane_choose(sender->client.plane, sender->client.leg, MCU_CAMERA, layer,
                           false) == 0);
}

/* A packet of a layer, named by the extension `id` if the sender names its packets. */
static void send_packet(struct sender *sender, int layer, const struct mcu_rtp *header, int id,
                        const uint8_t *payload, size_t payload_size)
{
    const struct mcu_rtp_extensions ids = {.mid = MID_ID, .rid = (uint8_t)id};
    struct mcu_rtp named = *header;
    uint8_t out[1600];
    if (sender->named) {
        named.mid = "1";
        named.mid_size = 1;
        named.rid = names[layer];
        named.rid_size = strlen(names[layer]);
    }
    size_t size = mcu_rtp_write(out, &named, &ids);
    memcpy(out + size, payload, payload_size);
    size += payload_size;
    CHECK(mcu_srtp_protect(sender->client.out, out, &size) == 0);
    send_raw(&sender->client, out, size);
}

struct shot { /* a VP8 picture in one packet */
    bool key, sync;
    int temporal;
    bool lost; /* it is made, but not sent */
};

static size_t make_shot(int layer, struct shot shot, uint8_t *out)
{
    const uint8_t descriptor[] = {0x90, 0x20,
                                  (uint8_t)(shot.temporal << 6 | (shot.sync ? 0x20 : 0))};
    const uint8_t tag[] = {(uint8_t)(shot.key ? 0x10 : 0x11),
                           2,
                           0,
                           0x9D,
                           1,
                           0x2A,
                           (uint8_t)((80 << layer) & 0xFF),
                           (uint8_t)((80 << layer) >> 8),
                           (uint8_t)(60 << layer),
                           0};
    memcpy(out, descriptor, sizeof descriptor);
    memcpy(out + sizeof descriptor, tag, sizeof tag);
    return sizeof descriptor + sizeof tag;
}

static void send_shot(struct sender *sender, int layer, struct shot shot)
{
    uint8_t payload[40];
    const size_t size = make_shot(layer, shot, payload);
    const struct mcu_rtp header = {.payload_type = VIDEO_TYPE,
                                   .marker = true,
                                   .sequence = sender->sequences[layer]++,
                                   .timestamp = sender->client.timestamp += 3000,
                                   .ssrc = ssrc_of(layer),
                                   .level = -1};
    if (!shot.lost)
        send_packet(sender, layer, &header, RID_ID, payload, size);
}

static void send_key(struct sender *sender, int layer)
{
    send_shot(sender, layer, (struct shot){.key = true});
}

static void send_next(struct sender *sender, int layer)
{
    send_shot(sender, layer, (struct shot){0});
}

/* The next picture that is handed out is the last that was sent, and a key frame or not. */
static bool gives(struct sender *sender, bool key)
{
    struct mcu_event event;
    if (!await(sender->client.plane, MCU_EVENT_PICTURE, sender->client.leg, &event,
               PATIENCE_MS))
        return false;
    free(event.data);
    return event.key == key && event.c == sender->client.timestamp;
}

static bool gives_nothing(struct sender *sender)
{
    return !said(sender->client.plane, MCU_EVENT_PICTURE, sender->client.leg, QUIET_MS);
}

static struct mcu_stream_stats layer_stats(struct sender *sender, int layer)
{
    struct mcu_leg_stats stats;
    CHECK(mcu_plane_leg_stats(sender->client.plane, sender->client.leg, &stats) == 0);
    for (size_t i = 0; i < stats.stream_count; i++)
        if (stats.streams[i].source == MCU_CAMERA && !stats.streams[i].sending &&
            stats.streams[i].layer == layer)
            return stats.streams[i];
    return (struct mcu_stream_stats){0};
}

static void pictures_are_of_the_layer_that_was_chosen_and_of_no_other(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    join_sender(&sender, plane);
    choose(&sender, 1);
    send_key(&sender, 0);
    send_key(&sender, 2);
    send_key(&sender, 1);
    CHECK(gives(&sender, true));
    sender.named = false; /* the far end has seen a report: its SSRC tells the layer */
    send_next(&sender, 0);
    send_next(&sender, 2);
    send_next(&sender, 1);
    CHECK(gives(&sender, false));
    CHECK(layer_stats(&sender, 1).chosen && !layer_stats(&sender, 0).chosen);
    for (int layer = 0; layer < LAYERS; layer++) {
        const struct mcu_stream_stats stats = layer_stats(&sender, layer);
        CHECK(stats.packets == 2 && stats.width == 80u << layer);
    }
    struct mcu_leg_traffic traffic;
    CHECK(mcu_plane_leg_traffic(plane, sender.client.leg, &traffic) == 0);
    CHECK(traffic.received == 6 && traffic.lost == 0 && traffic.spoken == 0);
    leave(&sender.client);
    mcu_plane_free(plane);
}

static void what_nobody_wants_is_neither_given_nor_decrypted_nor_asked_for(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    struct mcu_rtcp_event event;
    join_sender(&sender, plane);
    sender.sequences[0] = 65500; /* and its sequence numbers wrap meanwhile */
    send_key(&sender, 0);        /* is looked at for its size */
    send_shot(&sender, 0, (struct shot){.lost = true});
    for (int i = 0; i < 100; i++)
        send_next(&sender, 0);
    CHECK(received(&sender.client, MCU_CAMERA, 101));
    CHECK(dropped(plane, MCU_DROP_SKIPPED) == 99); /* but for one in 64 */
    CHECK(gives_nothing(&sender));
    CHECK(layer_stats(&sender, 0).lost == 1 && layer_stats(&sender, 0).width == 80);
    struct mcu_leg_traffic traffic;
    CHECK(mcu_plane_leg_traffic(plane, sender.client.leg, &traffic) == 0);
    CHECK(traffic.received == 101 && traffic.lost == 1);
    CHECK(!receive_rtcp(&sender.client, MCU_RTCP_PLI, &event, QUIET_MS));
    CHECK(layer_stats(&sender, 0).nacks == 0);
    choose(&sender, 0);
    send_next(&sender, 0);
    CHECK(receive_rtcp(&sender.client, MCU_RTCP_PLI, &event, PATIENCE_MS));
    send_key(&sender, 0);
    CHECK(gives(&sender, true));
    CHECK(dropped(plane, MCU_DROP_SRTP) == 0);
    leave(&sender.client);
    mcu_plane_free(plane);
}

static void a_layer_goes_on_until_the_next_one_has_a_key_frame(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    struct mcu_rtcp_event pli;
    join_sender(&sender, plane);
    choose(&sender, 0);
    send_key(&sender, 2);
    send_key(&sender, 0);
    CHECK(gives(&sender, true));
    choose(&sender, 2);
    send_next(&sender, 2);
    CHECK(receive_rtcp(&sender.client, MCU_RTCP_PLI, &pli, PATIENCE_MS));
    CHECK(pli.media_ssrc == ssrc_of(2));
    CHECK(receive_rtcp(&sender.client, MCU_RTCP_PLI, &pli, PATIENCE_MS)); /* until one comes */
    CHECK(pli.media_ssrc == ssrc_of(2));
    send_next(&sender, 0);
    CHECK(gives(&sender, false));
    send_key(&sender, 2);
    CHECK(gives(&sender, true));
    send_next(&sender, 0);
    CHECK(gives_nothing(&sender));
    send_next(&sender, 2);
    CHECK(gives(&sender, false));
    leave(&sender.client);
    mcu_plane_free(plane);
}

static void of_what_is_hidden_nothing_comes_and_then_it_begins_with_a_key_frame(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    join_sender(&sender, plane);
    choose(&sender, 0);
    send_key(&sender, 0);
    CHECK(gives(&sender, true));
    choose(&sender, -1);
    send_key(&sender, 0);
    CHECK(gives_nothing(&sender));
    choose(&sender, 0);
    send_next(&sender, 0);
    CHECK(gives_nothing(&sender));
    send_key(&sender, 0);
    CHECK(gives(&sender, true));
    leave(&sender.client);
    mcu_plane_free(plane);
}

static bool tells(struct sender *sender, int layer, bool comes, uint32_t width)
{
    struct mcu_event event;
    while (
        await(sender->client.plane, MCU_EVENT_LAYER, sender->client.leg, &event, PATIENCE_MS))
        if (event.b == layer && event.c == comes && event.width == width)
            return event.a == MCU_CAMERA && event.height == width * 3 / 4;
    return false;
}

static void layers_that_come_stop_and_return_are_told(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    join_sender(&sender, plane);
    send_key(&sender, 2);
    CHECK(tells(&sender, 2, true, 320));
    send_next(&sender, 0); /* its key frame was lost */
    CHECK(tells(&sender, 0, true, 0));
    send_key(&sender, 0);
    CHECK(tells(&sender, 0, true, 80));
    nanosleep(&(struct timespec){.tv_nsec = 520000000}, NULL);
    for (int i = 0; i < 5; i++) /* a camera that is slow in all layers has not stopped */
        send_next(&sender, 0);
    CHECK(!said(plane, MCU_EVENT_LAYER, sender.client.leg, QUIET_MS));
    send_next(&sender, 0);
    CHECK(tells(&sender, 2, false, 320));
    send_next(&sender, 2);
    CHECK(tells(&sender, 2, true, 320));
    leave(&sender.client);
    mcu_plane_free(plane);
}

static void a_repair_goes_to_the_layer_that_it_names(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    struct mcu_rtcp_event nack;
    uint8_t payload[40] = {0};
    join_sender(&sender, plane);
    choose(&sender, 1);
    send_key(&sender, 1);
    CHECK(gives(&sender, true));
    const uint16_t lost = sender.sequences[1];
    send_shot(&sender, 1, (struct shot){.lost = true});
    const uint32_t timestamp = sender.client.timestamp;
    send_next(&sender, 1);
    CHECK(receive_rtcp(&sender.client, MCU_RTCP_NACK, &nack, PATIENCE_MS));
    CHECK(nack.media_ssrc == ssrc_of(1) && nack.pid == lost);
    payload[1] = (uint8_t)lost;
    const size_t size = 2 + make_shot(1, (struct shot){0}, payload + 2);
    const struct mcu_rtp header = {.payload_type = RTX_TYPE,
                                   .marker = true,
                                   .timestamp = timestamp,
                                   .ssrc = 8001,
                                   .level = -1};
    send_packet(&sender, 1, &header, REPAIRED_ID, payload, size);
    struct mcu_event event;
    CHECK(await(plane, MCU_EVENT_PICTURE, sender.client.leg, &event, PATIENCE_MS));
    CHECK(event.c == timestamp);
    free(event.data);
    CHECK(gives(&sender, false));
    leave(&sender.client);
    mcu_plane_free(plane);
}

static void the_highest_temporal_layer_is_left_out_until_it_can_be_taken_up(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    join_sender(&sender, plane);
    CHECK(mcu_plane_choose(plane, sender.client.leg, MCU_CAMERA, 0, true) == 0);
    send_key(&sender, 0);
    CHECK(gives(&sender, true));
    send_shot(&sender, 0, (struct shot){.temporal = 2, .sync = true});
    CHECK(gives_nothing(&sender));
    send_shot(&sender, 0, (struct shot){.temporal = 1, .sync = true});
    CHECK(gives(&sender, false));
    choose(&sender, 0);
    send_shot(&sender, 0, (struct shot){.temporal = 2}); /* needs what was left out */
    CHECK(gives_nothing(&sender));
    send_shot(&sender, 0, (struct shot){.temporal = 2, .sync = true});
    CHECK(gives(&sender, false));
    send_shot(&sender, 0, (struct shot){.temporal = 2});
    CHECK(gives(&sender, false));
    leave(&sender.client);
    mcu_plane_free(plane);
}

/* Which layers the next report has a block for, a bit each; 0: none came. */
static unsigned reported_in(struct sender *sender)
{
    struct packet packet;
    struct mcu_rtcp_event event;
    unsigned seen = 0;
    if (!receive(&sender->client, &packet, PATIENCE_MS) ||
        mcu_srtp_unprotect_rtcp(sender->client.in, packet.data, &packet.size))
        return 0;
    struct mcu_rtcp_reader reader = {.data = packet.data, .size = packet.size};
    while (mcu_rtcp_next(&reader, &event) > 0)
        if (event.kind == MCU_RTCP_REPORT && event.media_ssrc - ssrc_of(0) < LAYERS)
            seen |= 1U << (event.media_ssrc - ssrc_of(0));
    return seen;
}

static void each_layer_is_reported_on(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    join_sender(&sender, plane);
    for (int layer = 0; layer < LAYERS; layer++)
        send_key(&sender, layer);
    CHECK(tells(&sender, 2, true, 320));
    unsigned seen = 0;
    for (int i = 0; i < 3 && seen != 7; i++)
        seen = reported_in(&sender);
    CHECK(seen == 7);
    leave(&sender.client);
    mcu_plane_free(plane);
}

static void a_layer_that_turns_tells_the_size_of_those_that_nobody_sees(void)
{
    struct mcu_plane *plane = new_plane();
    struct sender sender;
    join_sender(&sender, plane);
    choose(&sender, 0);
    send_key(&sender, 2);
    send_key(&sender, 0);
    CHECK(gives(&sender, true));
    const uint8_t half[] = {0x90, 0x20, 0, 0x10, 2, 0, 0x9D, 1, 0x2A, 40, 0, 30, 0};
    const struct mcu_rtp header = {.payload_type = VIDEO_TYPE,
                                   .marker = true,
                                   .sequence = sender.sequences[0]++,
                                   .timestamp = sender.client.timestamp += 3000,
                                   .ssrc = ssrc_of(0),
                                   .level = -1};
    send_packet(&sender, 0, &header, RID_ID, half, sizeof half);
    CHECK(gives(&sender, true));
    CHECK(layer_stats(&sender, 0).width == 40 && layer_stats(&sender, 2).width == 160);
    leave(&sender.client);
    mcu_plane_free(plane);
}

static void what_is_no_layer_cannot_be_chosen(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    struct mcu_stream_options options = camera();
    const struct {
        enum mcu_source source;
        int layer;
    } wrong[] = {{MCU_CAMERA, 3}, {MCU_CAMERA, -2}, {MCU_SCREEN, 0}, {MCU_AUDIO, 0}};
    add_client(&client, plane, -1);
    strcpy(options.rids[1], "a");
    CHECK(mcu_plane_add_stream(plane, client.leg, &options) == -1 && errno == EINVAL);
    strcpy(options.rids[1], "");
    CHECK(mcu_plane_add_stream(plane, client.leg, &options) == -1 && errno == EINVAL);
    options = camera();
    CHECK(mcu_plane_add_stream(plane, client.leg, &options) == 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(mcu_plane_choose(plane, client.leg, wrong[i].source, wrong[i].layer, false) ==
                  -1 &&
              errno == EINVAL);
    const int leg = client.leg;
    leave(&client);
    CHECK(mcu_plane_choose(plane, leg, MCU_CAMERA, 0, false) == -1 && errno == ENOENT);
    mcu_plane_free(plane);
}

void layers_tests(void)
{
    TEST(pictures_are_of_the_layer_that_was_chosen_and_of_no_other);
    TEST(what_nobody_wants_is_neither_given_nor_decrypted_nor_asked_for);
    TEST(a_layer_goes_on_until_the_next_one_has_a_key_frame);
    TEST(of_what_is_hidden_nothing_comes_and_then_it_begins_with_a_key_frame);
    TEST(layers_that_come_stop_and_return_are_told);
    TEST(a_repair_goes_to_the_layer_that_it_names);
    TEST(the_highest_temporal_layer_is_left_out_until_it_can_be_taken_up);
    TEST(each_layer_is_reported_on);
    TEST(a_layer_that_turns_tells_the_size_of_those_that_nobody_sees);
    TEST(what_is_no_layer_cannot_be_chosen);
}
