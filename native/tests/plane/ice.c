/* Checks: who may prove what. */
#include "client.h"
#include "tests.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void a_check_is_answered_and_proves_its_leg(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    add_client(&client, plane, -1);
    CHECK(check(&client, false) == 200);
    CHECK(!said(plane, MCU_EVENT_PROVED, client.leg, QUIET_MS));
    CHECK(check(&client, true) == 200);
    CHECK(said(plane, MCU_EVENT_PROVED, client.leg, PATIENCE_MS));
    CHECK(check(&client, true) == 200);
    CHECK(!said(plane, MCU_EVENT_PROVED, client.leg, QUIET_MS)); /* once */
    leave(&client);
    mcu_plane_free(plane);
}

static void a_wrong_password_proves_nothing_and_is_counted(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    char name[80];
    add_client(&client, plane, -1);
    snprintf(name, sizeof name, "%s:%s", client.ufrag, client.remote_ufrag);
    CHECK(check_as(&client, name, "another password", true) == 401);
    snprintf(name, sizeof name, "%s:somebody", client.ufrag);
    CHECK(check_as(&client, name, client.password, true) == 401);
    CHECK(!said(plane, MCU_EVENT_PROVED, client.leg, QUIET_MS));
    CHECK(dropped(plane, MCU_DROP_STUN_FORGED) == 2);
    leave(&client);
    mcu_plane_free(plane);
}

static void who_names_no_leg_of_ours_is_not_answered(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    add_client(&client, plane, -1);
    CHECK(check_as(&client, "nobody:them", client.password, true) == 0);
    CHECK(check_as(&client, "nocolon", client.password, true) == 0);
    CHECK(dropped(plane, MCU_DROP_STUN_UNKNOWN) == 2);
    leave(&client);
    mcu_plane_free(plane);
}

static void malformed_stun_is_counted(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    add_client(&client, plane, -1);
    const uint8_t cut[20] = {0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42};
    send_raw(&client, cut, sizeof cut);
    CHECK(drops(plane, MCU_DROP_STUN_MALFORMED, 1));
    leave(&client);
    mcu_plane_free(plane);
}

static size_t attribute(uint8_t *out, uint16_t type, const void *value, uint16_t size)
{
    out[0] = (uint8_t)(type >> 8);
    out[1] = (uint8_t)type;
    out[2] = (uint8_t)(size >> 8);
    out[3] = (uint8_t)size;
    memset(out + 4, 0, (size_t)(size + 3) & ~3u);
    memcpy(out + 4, value, size);
    return 4 + ((size_t)(size + 3) & ~3u);
}

/* A request with an attribute of ours to choose; signed where there is a password. */
static size_t request_with(const struct client *client, uint16_t type, const void *value,
                           uint16_t value_size, const char *password, uint8_t *out)
{
    const uint8_t header[20] = {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 9, 9, 9};
    char name[80];
    snprintf(name, sizeof name, "%s:%s", client->ufrag, client->remote_ufrag);
    memcpy(out, header, sizeof header);
    size_t size = sizeof header;
    size += attribute(out + size, 0x0006, name, (uint16_t)strlen(name));
    if (type)
        size += attribute(out + size, type, value, value_size);
    out[3] = (uint8_t)(size - 20 + (password ? 24 : 0));
    if (password) {
        uint8_t digest[20];
        unsigned digest_size;
        HMAC(EVP_sha1(), password, (int)strlen(password), out, size, digest, &digest_size);
        size += attribute(out + size, 0x0008, digest, sizeof digest);
    }
    return size;
}

static int answered(struct client *client)
{
    struct packet packet;
    struct mcu_stun answer;
    if (!receive(client, &packet, PATIENCE_MS) ||
        mcu_stun_parse(&answer, packet.data, packet.size))
        return 0;
    return answer.class == MCU_STUN_SUCCESS ? 200 : answer.error_code;
}

static void a_check_without_digest_or_that_is_controlled_is_refused(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    uint8_t out[MCU_STUN_MAX];
    const uint64_t tie = 7;
    add_client(&client, plane, -1);
    send_raw(&client, out, request_with(&client, 0, NULL, 0, NULL, out));
    CHECK(answered(&client) == 400);
    send_raw(&client, out,
             request_with(&client, 0x8029, &tie, sizeof tie, client.password, out));
    CHECK(answered(&client) == 487);
    send_raw(&client, out, request_with(&client, 0x7ABC, &tie, 4, client.password, out));
    CHECK(answered(&client) == 420);
    CHECK(!said(plane, MCU_EVENT_PROVED, client.leg, QUIET_MS));
    leave(&client);
    mcu_plane_free(plane);
}

static void a_check_over_ipv6_proves_as_well(void)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
    *six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    const struct mcu_plane_options options = {.addresses = &address, .address_count = 1};
    struct mcu_plane *plane = mcu_plane_new(&options);
    const int leg = mcu_plane_add_webrtc(plane, "ours", "password", "them");
    uint8_t out[MCU_STUN_MAX];
    const uint8_t transaction[12] = {6};
    const size_t size =
        mcu_stun_request(out, transaction, "ours:them", 9, "password", 8, 1, 1, true);
    struct client client = {.fd = socket(AF_INET6, SOCK_DGRAM, 0)};
    six->sin6_port = htons(mcu_plane_port(plane));
    CHECK(sendto(client.fd, out, size, 0, (struct sockaddr *)six, sizeof *six) > 0);
    CHECK(answered(&client) == 200);
    CHECK(said(plane, MCU_EVENT_PROVED, leg, PATIENCE_MS));
    close(client.fd);
    mcu_plane_free(plane);
}

/* The client's packets come from another port from now on. */
static void change_socket(struct client *client)
{
    close(client->fd);
    client->fd = open_socket(&client->local);
}

static bool hears_dtls(struct client *client)
{
    const uint8_t record[14] = {22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 42};
    struct packet packet;
    CHECK(mcu_plane_send_dtls(client->plane, client->leg, false, record, sizeof record) == 0);
    while (receive(client, &packet, PATIENCE_MS))
        if (packet.size == sizeof record && !memcmp(packet.data, record, sizeof record))
            return true;
    return false;
}

static void a_nominating_check_from_elsewhere_moves_the_leg_at_once(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    CHECK(hears_dtls(&client));
    change_socket(&client);
    CHECK(check(&client, true) == 200);
    CHECK(said(plane, MCU_EVENT_MOVED, client.leg, PATIENCE_MS));
    CHECK(hears_dtls(&client));
    leave(&client);
    mcu_plane_free(plane);
}

static void any_check_moves_a_leg_that_was_silent_where_it_was(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    change_socket(&client);
    CHECK(check(&client, false) == 200);
    CHECK(!said(plane, MCU_EVENT_MOVED, client.leg, QUIET_MS)); /* it was there just now */
    usleep(600000);
    CHECK(check(&client, false) == 200);
    CHECK(said(plane, MCU_EVENT_MOVED, client.leg, PATIENCE_MS));
    CHECK(hears_dtls(&client));
    leave(&client);
    mcu_plane_free(plane);
}

static void what_is_said_elsewhere_does_not_keep_a_leg_where_it_was(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, -1);
    be_heard(&client, 1);
    change_socket(&client);
    CHECK(check(&client, false) == 200);
    for (int i = 0; i < 12; i++) {
        say(&client, -1);
        usleep(50000);
    }
    CHECK(received(&client, MCU_AUDIO, 12));
    CHECK(check(&client, false) == 200);
    CHECK(said(plane, MCU_EVENT_MOVED, client.leg, PATIENCE_MS));
    leave(&client);
    mcu_plane_free(plane);
}

static void nobody_takes_the_address_of_another_leg(void)
{
    struct mcu_plane *plane = new_plane();
    struct client victim, thief;
    char name[80];
    join(&victim, plane, -1);
    add_client(&thief, plane, -1);
    snprintf(name, sizeof name, "%s:%s", thief.ufrag, thief.remote_ufrag);
    CHECK(check_as(&victim, name, thief.password, true) == 0); /* as if spoofed */
    CHECK(!said(plane, MCU_EVENT_PROVED, thief.leg, QUIET_MS));
    for (int i = 0; i < 5; i++)
        say(&victim, 30);
    CHECK(received(&victim, MCU_AUDIO, 5));
    leave(&thief);
    leave(&victim);
    mcu_plane_free(plane);
}

static void after_an_ice_restart_the_old_credentials_end_when_the_new_are_proved(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client, old;
    join(&client, plane, -1);
    old = client;
    strcpy(client.ufrag, "renewed");
    strcpy(client.password, "another password of ours");
    CHECK(mcu_plane_restart_ice(plane, client.leg, client.ufrag, client.password,
                                client.remote_ufrag) == 0);
    CHECK(check(&old, false) == 200);
    CHECK(check(&client, true) == 200);
    CHECK(check(&old, false) == 0);
    CHECK(check(&client, false) == 200);
    CHECK(mcu_plane_restart_ice(plane, client.leg + 1, "u", "p", "") == -1);
    leave(&client);
    mcu_plane_free(plane);
}

static void a_leg_without_consent_is_silent_and_sent_nothing(void)
{
    struct mcu_plane *plane = new_plane();
    struct client client;
    join(&client, plane, 0);
    struct mcu_rtcp_event event;
    const uint8_t nothing[1] = {0};
    CHECK(mcu_plane_limit(plane, client.leg, 100000) == 0);
    show(&client, VIDEO_TYPE, client.video_ssrc, 1, false, nothing, 1);
    CHECK(receive_rtcp(&client, MCU_RTCP_REMB, &event, 1200)); /* with its report */
    CHECK(!said(plane, MCU_EVENT_SILENT, client.leg, MCU_CONSENT_US / 1000 - 1500));
    CHECK(said(plane, MCU_EVENT_SILENT, client.leg, 2500));
    while (receive_rtcp(&client, MCU_RTCP_REMB, &event, 0))
        ;
    CHECK(!receive_rtcp(&client, MCU_RTCP_REMB, &event, 1200));
    CHECK(check(&client, true) == 200); /* it was only away */
    CHECK(receive_rtcp(&client, MCU_RTCP_REMB, &event, 1200));
    leave(&client);
    mcu_plane_free(plane);
}

void ice_tests(void)
{
    TEST(a_check_is_answered_and_proves_its_leg);
    TEST(a_wrong_password_proves_nothing_and_is_counted);
    TEST(who_names_no_leg_of_ours_is_not_answered);
    TEST(malformed_stun_is_counted);
    TEST(a_check_without_digest_or_that_is_controlled_is_refused);
    TEST(a_check_over_ipv6_proves_as_well);
    TEST(a_nominating_check_from_elsewhere_moves_the_leg_at_once);
    TEST(any_check_moves_a_leg_that_was_silent_where_it_was);
    TEST(what_is_said_elsewhere_does_not_keep_a_leg_where_it_was);
    TEST(nobody_takes_the_address_of_another_leg);
    TEST(after_an_ice_restart_the_old_credentials_end_when_the_new_are_proved);
    TEST(a_leg_without_consent_is_silent_and_sent_nothing);
}
