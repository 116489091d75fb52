/* Transport-wide feedback: any body is read within its bounds; what is read, noted as arrivals
 * and written again, says the same. */
#include "fuzz.h"

#include <mcu/feedback.h>
#include <mcu/rtcp.h>

static unsigned read_all(const uint8_t *data, size_t size, struct mcu_arrived *arrived)
{
    struct mcu_feedback feedback;
    struct mcu_feedback_packet packet;
    unsigned count = 0;
    if (mcu_feedback_open(&feedback, data, size))
        return 0;
    while (mcu_feedback_next(&feedback, &packet)) {
        HOLDS(++count <= MCU_FEEDBACK_MOST);
        HOLDS(feedback.delta <= data + size && feedback.chunk <= data + size);
        if (packet.received)
            mcu_arrived_note(arrived, packet.number, true, 1000000000 + packet.at);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mcu_arrived arrived;
    uint8_t out[MCU_RTCP_MAX];
    size_t written = 0;
    arrived = (struct mcu_arrived){0};
    read_all(data, size, &arrived);
    for (int i = 0; i < MCU_ARRIVED; i++, written = 0) {
        if (mcu_arrived_report(&arrived, out, &written, 1, 2, 3))
            break;
        struct mcu_rtcp_reader reader = {.data = out, .size = written};
        struct mcu_rtcp_event event;
        static struct mcu_arrived again;
        HOLDS(mcu_rtcp_next(&reader, &event) == 1 && event.kind == MCU_RTCP_WIDE);
        HOLDS(read_all(event.body, event.body_size, &again) > 0);
    }
    HOLDS(arrived.waiting == 0);
    return 0;
}
