#include <mcu/lips.h>

#include <mcu/rtp.h>

#define FROM_US 60000  /* of sound's delay: below, nobody notices, and nothing is held */
#define AHEAD_US 40000 /* that a picture is let be: it takes longer to compose and encode */
#define WINDOW_US 10000000
#define LEAP_US 2000000 /* its timestamps began anew */

static int64_t lesser(int64_t one, int64_t other) { return one < other ? one : other; }

static void begin(struct mcu_lips *lips, int64_t transit, int64_t now)
{
    lips->fastest[0] = lips->fastest[1] = transit;
    lips->since = now;
}

int64_t mcu_lips_wait(struct mcu_lips *lips, uint32_t timestamp, int64_t sound, int64_t now)
{
    const int64_t before = lips->time;
    lips->time = mcu_extend32(before ? before : INT64_C(1) << 32, timestamp);
    const int64_t transit = now - lips->time * 100 / 9;
    const int64_t apart = transit - lips->fastest[0];
    if (!before || apart > LEAP_US || apart < -LEAP_US) {
        begin(lips, transit, now);
    } else if (now - lips->since > WINDOW_US) {
        lips->fastest[1] = lips->fastest[0];
        lips->fastest[0] = transit;
        lips->since = now;
    }
    lips->fastest[0] = lesser(lips->fastest[0], transit);
    const int64_t late = transit - lesser(lips->fastest[0], lips->fastest[1]);
    const int64_t wait =
        sound < FROM_US ? 0 : lesser(sound - AHEAD_US - late, MCU_LIPS_WAIT_US);
    return wait > 0 ? wait : 0;
}
