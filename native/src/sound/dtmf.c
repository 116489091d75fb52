#include <mcu/dtmf.h>

#include "../wire/bytes.h"

enum {
    SIZE = 4, /* RFC 4733 section 2.3 */
    SEGMENT =
        0xffff, /* units after which a long event goes on under a new timestamp, 2.5.1.3 */
    DIGITS = 16
};

/* Whether a packet belongs to the press that is known: of the same event, whose tone cannot
 * have been over before this one's began. */
static bool same_press(const struct mcu_dtmf *dtmf, uint8_t event, int64_t timestamp)
{
    const int64_t after = timestamp - dtmf->timestamp;
    return dtmf->begun && dtmf->digit == event &&
           (after <= dtmf->duration || (!dtmf->ended && after == SEGMENT));
}

int mcu_dtmf_packet(struct mcu_dtmf *dtmf, int64_t timestamp, const uint8_t *payload,
                    size_t size)
{
    static const char characters[DIGITS + 1] = "0123456789*#ABCD";
    if (size < SIZE || payload[0] >= DIGITS)
        return -1;
    const uint8_t event = payload[0];
    const bool end = payload[1] & 0x80;
    const uint32_t duration = get16(payload + 2);
    if (dtmf->begun && timestamp < dtmf->timestamp)
        return 0; /* reordered: of a press that is over */
    const bool same = same_press(dtmf, event, timestamp);
    if (same && timestamp == dtmf->timestamp) {
        dtmf->ended = dtmf->ended || end;
        dtmf->duration = duration > dtmf->duration ? duration : dtmf->duration;
        return 0;
    }
    *dtmf = (struct mcu_dtmf){true, end, timestamp, event, duration};
    return same ? 0 : characters[event];
}
