/* STUN: any datagram is read within its bounds, and what is answered to it can be read. */
#include "fuzz.h"

#include <mcu/stun.h>

#include <netinet/in.h>
#include <string.h>

/* That a message is well-formed, authentic, and of this request. */
static void check_answer(const uint8_t *data, size_t size, const struct mcu_stun *request)
{
    struct mcu_stun answer;
    HOLDS(size > 0 && size <= MCU_STUN_MAX);
    HOLDS(mcu_stun_parse(&answer, data, size) == 0);
    HOLDS(answer.fingerprint && mcu_stun_verify(&answer, "password", 8));
    HOLDS(answer.method == request->method);
    HOLDS(memcmp(answer.transaction, request->transaction, 12) == 0);
}

static void check_answers(const struct mcu_stun *request)
{
    static const uint16_t codes[] = {400, 401, 420, 487};
    static const struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = 9};
    static const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = 9};
    uint8_t out[MCU_STUN_MAX];
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        check_answer(out, mcu_stun_error(out, request, codes[i], "password", 8), request);
    check_answer(out,
                 mcu_stun_success(out, request, (const struct sockaddr *)&in, "password", 8),
                 request);
    check_answer(out,
                 mcu_stun_success(out, request, (const struct sockaddr *)&in6, "password", 8),
                 request);
}

/* A request with this username and these numbers, written and read. */
static void check_request(const struct mcu_stun *message)
{
    uint8_t out[MCU_STUN_MAX];
    struct mcu_stun again;
    const size_t size = mcu_stun_request(
        out, message->transaction, message->username, message->username_size, "password", 8,
        message->controlling, message->priority, message->use_candidate);
    if (message->username_size > 2 * MCU_UFRAG_MAX + 1) {
        HOLDS(size == 0);
        return;
    }
    HOLDS(mcu_stun_parse(&again, out, size) == 0 && mcu_stun_verify(&again, "password", 8));
    HOLDS(again.username_size == message->username_size);
    HOLDS(memcmp(again.username, message->username, again.username_size) == 0);
    HOLDS(again.controlling == message->controlling && again.priority == message->priority);
    HOLDS(again.use_candidate == message->use_candidate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcu_stun message;
    if (mcu_stun_parse(&message, data, size))
        return 0;
    mcu_stun_verify(&message, "VOkJxbRl1RmTxUk/WvJxBt", 22);
    check_answers(&message);
    if (message.username)
        check_request(&message);
    return 0;
}
