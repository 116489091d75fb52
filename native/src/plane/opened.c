#include "opened.h"

#include "../wire/bytes.h"
#include "leg.h"

#include <stdlib.h>

struct name {
    bool known; /* what they call it; else they have forgotten it */
    uint32_t theirs, ours;
};

struct opened {
    struct name names[MCU_SRTP_SOURCES];
    size_t count;
};

struct opened *opened_new(void) { return calloc(1, sizeof(struct opened)); }

void opened_forget(struct opened *opened)
{
    for (size_t i = 0; i < opened->count; i++)
        opened->names[i].known = false;
}

/* -- names -- */

static bool name_own(struct opened *opened, uint32_t *ssrc)
{
    for (size_t i = 0; i < opened->count; i++)
        if (opened->names[i].known && opened->names[i].theirs == *ssrc) {
            *ssrc = opened->names[i].ours;
            return true;
        }
    if (opened->count == MCU_SRTP_SOURCES)
        return false;
    struct name *made = &opened->names[opened->count++];
    *made = (struct name){.known = true, .theirs = *ssrc, .ours = leg_random()};
    *ssrc = made->ours;
    return true;
}

/* What the other one is told of its own: by the name that itself has for it. */
static void name_back(const struct opened *other, uint32_t *ssrc)
{
    for (size_t i = 0; i < other->count; i++)
        if (other->names[i].ours == *ssrc) {
            *ssrc = other->names[i].theirs;
            return;
        }
}

struct namers {
    struct opened *own;
    const struct opened *other;
};

static bool name(void *of, bool own, uint32_t *ssrc)
{
    const struct namers *namers = of;
    if (own)
        return name_own(namers->own, ssrc);
    name_back(namers->other, ssrc);
    return true;
}

static bool rename_all(const struct leg *leg, const struct leg *to, enum mcu_datagram kind,
                       uint8_t *data, size_t size)
{
    struct namers namers = {.own = leg->opened, .other = to->opened};
    if (kind == MCU_IS_RTCP)
        return mcu_rtcp_rename(data, size, name, &namers) == 0;
    uint32_t ssrc = get32(data + 8); /* it has been decrypted: it is that long */
    const bool named = name_own(leg->opened, &ssrc);
    put32(data + 8, ssrc);
    return named;
}

/* -- keys -- */

bool opened_take(struct leg *leg, enum mcu_datagram kind, uint8_t *data, size_t *size)
{
    if (!leg->receiving)
        return false;
    return (kind == MCU_IS_RTP ? mcu_srtp_unprotect(leg->receiving, data, size)
                               : mcu_srtp_unprotect_rtcp(leg->receiving, data, size)) == 0;
}

bool opened_give(const struct leg *leg, const struct leg *to, enum mcu_datagram kind,
                 uint8_t *data, size_t *size)
{
    if (!to->sending || *size + MCU_SRTP_TRAILER > UDP_OUT_BYTES ||
        !rename_all(leg, to, kind, data, *size))
        return false;
    return (kind == MCU_IS_RTP ? mcu_srtp_protect(to->sending, data, size)
                               : mcu_srtp_protect_rtcp(to->sending, data, size)) == 0;
}
