#include "tests.h"

#include <mcu/stun.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* RFC 5769 section 2: all three with this password and transaction. */
static const char password[] = "VOkJxbRl1RmTxUk/WvJxBt";
static const uint8_t transaction[12] = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
                                        0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

static const uint8_t sample_request[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
    0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e,
    0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24,
    0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1,
    0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68,
    0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c,
    0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5,
    0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};

static const uint8_t sample_ipv4[] = {
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
    0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74,
    0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01,
    0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43, 0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99,
    0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b,
    0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96};

static const uint8_t sample_ipv6[] = {
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
    0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74,
    0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02,
    0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5,
    0xbe, 0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14, 0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6,
    0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75, 0xbf, 0xe3, 0xed, 0x41,
    0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c};
enum { ADDRESS_AT = 36 }; /* XOR-MAPPED-ADDRESS in both */

static bool verifies(const struct mcu_stun *message)
{
    return mcu_stun_verify(message, password, strlen(password));
}

static void the_sample_request_of_rfc_5769_is_read_and_verified(void)
{
    struct mcu_stun message;
    CHECK(mcu_stun_parse(&message, sample_request, sizeof sample_request) == 0);
    CHECK(message.method == 1 && message.class == MCU_STUN_REQUEST);
    CHECK(memcmp(message.transaction, transaction, 12) == 0);
    CHECK(message.username_size == 9 && memcmp(message.username, "evtj:h6vY", 9) == 0);
    CHECK(message.has_priority && message.priority == 0x6e0001ff);
    CHECK(message.has_controlled && message.controlled == 0x932ff9b151263b36);
    CHECK(!message.has_controlling && !message.use_candidate && !message.unknown);
    CHECK(message.integrity && message.fingerprint == sizeof sample_request - 8);
    CHECK(verifies(&message));
}

static void the_sample_responses_of_rfc_5769_are_verified(void)
{
    struct mcu_stun message;
    CHECK(mcu_stun_parse(&message, sample_ipv4, sizeof sample_ipv4) == 0);
    CHECK(message.class == MCU_STUN_SUCCESS && verifies(&message));
    CHECK(mcu_stun_parse(&message, sample_ipv6, sizeof sample_ipv6) == 0);
    CHECK(message.class == MCU_STUN_SUCCESS && verifies(&message));
}

static void the_address_is_written_as_in_rfc_5769(void)
{
    uint8_t out[MCU_STUN_MAX];
    struct mcu_stun request;
    mcu_stun_parse(&request, sample_request, sizeof sample_request);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(32853)};
    inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
    mcu_stun_success(out, &request, (struct sockaddr *)&in, password, strlen(password));
    CHECK(memcmp(out + 20, sample_ipv4 + ADDRESS_AT, 12) == 0);
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(32853)};
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr);
    mcu_stun_success(out, &request, (struct sockaddr *)&in6, password, strlen(password));
    CHECK(memcmp(out + 20, sample_ipv4 + ADDRESS_AT, 12) == 0);
    inet_pton(AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677", &in6.sin6_addr);
    mcu_stun_success(out, &request, (struct sockaddr *)&in6, password, strlen(password));
    CHECK(memcmp(out + 20, sample_ipv6 + ADDRESS_AT, 24) == 0);
}

/* Where one bit of it wrong makes of FINGERPRINT an attribute that is ignored: that the sender
 * can do without. */
static bool is_type_of_fingerprint(size_t byte)
{
    return byte == sizeof sample_request - 8 || byte == sizeof sample_request - 7;
}

static void one_wrong_bit_anywhere_is_noticed(void)
{
    for (size_t at = 0; at < sizeof sample_request * 8; at++) {
        uint8_t *copy = exact(sample_request, sizeof sample_request);
        copy[at / 8] ^= (uint8_t)(1 << at % 8);
        struct mcu_stun message;
        const bool taken = mcu_stun_parse(&message, copy, sizeof sample_request) == 0;
        CHECK(!taken || !message.fingerprint);
        CHECK(!taken || is_type_of_fingerprint(at / 8) || !verifies(&message));
        free(copy);
    }
}

static void a_message_without_fingerprint_is_taken_and_forgery_of_it_is_noticed(void)
{
    const size_t size = sizeof sample_request - 8;
    for (size_t at = 0; at < size * 8; at++) {
        uint8_t *copy = exact(sample_request, size);
        copy[3] -= 8;
        struct mcu_stun message;
        CHECK(mcu_stun_parse(&message, copy, size) == 0 && verifies(&message));
        copy[at / 8] ^= (uint8_t)(1 << at % 8);
        CHECK(mcu_stun_parse(&message, copy, size) == -1 || !verifies(&message) ||
              at / 8 == 3);
        free(copy);
    }
}

static void a_wrong_password_is_refused(void)
{
    struct mcu_stun message;
    mcu_stun_parse(&message, sample_request, sizeof sample_request);
    CHECK(!mcu_stun_verify(&message, "VOkJxbRl1RmTxUk/WvJxBu", 22));
    CHECK(!mcu_stun_verify(&message, password, 21));
    CHECK(!mcu_stun_verify(&message, "", 0));
}

static void a_message_that_is_cut_anywhere_is_refused(void)
{
    for (size_t size = 0; size < sizeof sample_request; size++) {
        uint8_t *copy = exact(sample_request, size);
        struct mcu_stun message;
        CHECK(mcu_stun_parse(&message, copy, size) == -1);
        if (size >= 20) { /* and with a length that fits what is left */
            copy[3] = (uint8_t)(size - 20);
            if (mcu_stun_parse(&message, copy, size) == 0)
                CHECK(message.fingerprint == 0);
        }
        free(copy);
    }
}

static void what_is_no_stun_or_too_long_to_look_at_is_refused(void)
{
    enum { LONG = MCU_STUN_MAX + 4 };
    uint8_t data[LONG] = {0};
    struct mcu_stun message;
    memcpy(data, sample_request, 20);
    data[3] = 0;
    CHECK(mcu_stun_parse(&message, data, 20) == 0);
    for (int bit = 6; bit < 8; bit++) {
        data[0] ^= (uint8_t)(1 << bit);
        CHECK(mcu_stun_parse(&message, data, 20) == -1);
        data[0] ^= (uint8_t)(1 << bit);
    }
    for (int at = 4; at < 8; at++) { /* the cookie */
        data[at] ^= 1;
        CHECK(mcu_stun_parse(&message, data, 20) == -1);
        data[at] ^= 1;
    }
    for (size_t size = LONG - 4; size <= LONG; size += 4) {
        data[2] = (uint8_t)((size - 20) >> 8);
        data[3] = (uint8_t)(size - 20);
        data[20] = 0xC0; /* an optional attribute of all the rest */
        data[22] = (uint8_t)((size - 24) >> 8);
        data[23] = (uint8_t)(size - 24);
        CHECK(mcu_stun_parse(&message, data, size) == (size <= MCU_STUN_MAX ? 0 : -1));
    }
}

static void what_is_written_is_read_back(void)
{
    uint8_t out[MCU_STUN_MAX];
    struct mcu_stun request, answer;
    const size_t size = mcu_stun_request(out, transaction, "them:us", 7, password,
                                         strlen(password), 0x0102030405060708, 77, true);
    CHECK(mcu_stun_parse(&request, out, size) == 0);
    CHECK(request.username_size == 7 && memcmp(request.username, "them:us", 7) == 0);
    CHECK(request.has_controlling && request.controlling == 0x0102030405060708);
    CHECK(request.has_priority && request.priority == 77 && request.use_candidate);
    CHECK(request.fingerprint && verifies(&request));
    static const uint16_t codes[] = {400, 401, 420, 487};
    for (size_t i = 0; i < 4; i++) {
        uint8_t reply[MCU_STUN_MAX];
        request.unknown = 0x1234;
        const size_t length = mcu_stun_error(
            reply, &request, codes[i], codes[i] == 401 ? NULL : password, strlen(password));
        CHECK(mcu_stun_parse(&answer, reply, length) == 0);
        CHECK(answer.class == MCU_STUN_ERROR && answer.error_code == codes[i]);
        CHECK(answer.fingerprint && !answer.unknown);
        CHECK(verifies(&answer) == (codes[i] != 401));
        static const uint8_t unknown[] = {0, 0x0A, 0, 2, 0x12, 0x34};
        CHECK((memmem(reply, length, unknown, sizeof unknown) != NULL) == (codes[i] == 420));
    }
}

static void the_longest_username_fits_and_a_longer_one_is_refused(void)
{
    uint8_t out[MCU_STUN_MAX];
    char name[2 * MCU_UFRAG_MAX + 2];
    memset(name, 'u', sizeof name);
    struct mcu_stun message;
    const size_t most = sizeof name - 1;
    const size_t size =
        mcu_stun_request(out, transaction, name, most, password, 22, 1, 1, true);
    CHECK(mcu_stun_parse(&message, out, size) == 0 && message.username_size == most);
    CHECK(mcu_stun_request(out, transaction, name, most + 1, password, 22, 1, 1, true) == 0);
}

/* A header, then attributes as they are given. */
static int parse_attributes(struct mcu_stun *message, const uint8_t *attributes, size_t size)
{
    static uint8_t data[256];
    memcpy(data, sample_request, 20);
    data[3] = (uint8_t)size;
    memcpy(data + 20, attributes, size);
    return mcu_stun_parse(message, data, 20 + size);
}

static void an_attribute_that_is_required_and_unknown_is_reported(void)
{
    struct mcu_stun message;
    static const uint8_t required[] = {0x7f, 0x01, 0, 1, 9, 0, 0, 0, 0x7f, 0x02, 0, 0};
    CHECK(parse_attributes(&message, required, sizeof required) == 0);
    CHECK(message.unknown == 0x7f01);
    static const uint8_t optional[] = {0xc0, 0x57, 0, 1, 9, 0, 0, 0};
    CHECK(parse_attributes(&message, optional, sizeof optional) == 0 && !message.unknown);
}

static void the_code_of_an_error_is_read_without_its_reserved_bits(void)
{
    struct mcu_stun message;
    static const uint8_t error[] = {0, 9, 0, 4, 0, 0, 0xFC, 87};
    CHECK(parse_attributes(&message, error, sizeof error) == 0 && message.error_code == 487);
}

static void of_an_attribute_twice_the_first_counts(void)
{
    struct mcu_stun message;
    static const uint8_t twice[] = {0, 0x24, 0, 4, 0,   0, 0, 1, 0, 0x24, 0, 4, 0,   0, 0, 2,
                                    0, 6,    0, 1, 'a', 0, 0, 0, 0, 6,    0, 1, 'b', 0, 0, 0};
    CHECK(parse_attributes(&message, twice, sizeof twice) == 0);
    CHECK(message.priority == 1 && message.username[0] == 'a');
}

static void attributes_of_a_wrong_length_are_refused(void)
{
    struct mcu_stun message;
    static const uint8_t priority[] = {0, 0x24, 0, 3, 0, 0, 0, 0};
    CHECK(parse_attributes(&message, priority, sizeof priority) == -1);
    static const uint8_t controlled[] = {0x80, 0x29, 0, 4, 0, 0, 0, 0};
    CHECK(parse_attributes(&message, controlled, sizeof controlled) == -1);
    static const uint8_t integrity[] = {0, 8, 0, 4, 0, 0, 0, 0};
    CHECK(parse_attributes(&message, integrity, sizeof integrity) == -1);
    static const uint8_t over[] = {0xc0, 1, 0, 5, 0, 0, 0, 0};
    CHECK(parse_attributes(&message, over, sizeof over) == -1);
    static const uint8_t whole[] = {0xc0, 1, 0xff, 0xff};
    CHECK(parse_attributes(&message, whole, sizeof whole) == -1);
}

static void what_follows_the_integrity_is_not_believed(void)
{
    uint8_t data[MCU_STUN_MAX];
    struct mcu_stun message;
    memcpy(data, sample_request, sizeof sample_request - 8); /* no fingerprint */
    static const uint8_t nominate[] = {0, 0x25, 0, 0};
    const size_t size = sizeof sample_request - 8 + sizeof nominate;
    memcpy(data + size - sizeof nominate, nominate, sizeof nominate);
    data[3] = (uint8_t)(size - 20);
    CHECK(mcu_stun_parse(&message, data, size) == 0 && verifies(&message));
    CHECK(!message.use_candidate);
}

static void what_follows_the_fingerprint_is_refused(void)
{
    uint8_t data[MCU_STUN_MAX];
    uint8_t *end = data + mcu_stun_request(data, transaction, "a:b", 3, NULL, 0, 1, 1, false);
    struct mcu_stun message;
    CHECK(mcu_stun_parse(&message, data, (size_t)(end - data)) == 0);
    CHECK(!message.integrity && !mcu_stun_verify(&message, "", 0));
    memset(end, 0, 4);
    data[3] += 4;
    CHECK(mcu_stun_parse(&message, data, (size_t)(end - data) + 4) == -1);
}

static void noise_is_no_message(void)
{
    for (int i = 0; i < 20000; i++) {
        const size_t size = (size_t)between(0, 15) * 4;
        uint8_t *data = noise_bytes(20 + size);
        memcpy(data, sample_request, 8);
        data[3] = (uint8_t)size;
        struct mcu_stun message;
        if (mcu_stun_parse(&message, data, 20 + size) == 0)
            CHECK(!verifies(&message));
        free(data);
    }
}

void stun_tests(void)
{
    TEST(the_sample_request_of_rfc_5769_is_read_and_verified);
    TEST(the_sample_responses_of_rfc_5769_are_verified);
    TEST(the_address_is_written_as_in_rfc_5769);
    TEST(one_wrong_bit_anywhere_is_noticed);
    TEST(a_message_without_fingerprint_is_taken_and_forgery_of_it_is_noticed);
    TEST(a_wrong_password_is_refused);
    TEST(a_message_that_is_cut_anywhere_is_refused);
    TEST(what_is_no_stun_or_too_long_to_look_at_is_refused);
    TEST(what_is_written_is_read_back);
    TEST(the_longest_username_fits_and_a_longer_one_is_refused);
    TEST(an_attribute_that_is_required_and_unknown_is_reported);
    TEST(the_code_of_an_error_is_read_without_its_reserved_bits);
    TEST(of_an_attribute_twice_the_first_counts);
    TEST(attributes_of_a_wrong_length_are_refused);
    TEST(what_follows_the_integrity_is_not_believed);
    TEST(what_follows_the_fingerprint_is_refused);
    TEST(noise_is_no_message);
}
