#include "load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define ROUND_US 1000

int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t at)
{
    const struct timespec when = {.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

static int64_t later(int64_t one, int64_t other) { return one > other ? one : other; }

/* Real legs are not in step: their packets are spread over the tick. */
static void spread(struct leg *legs, size_t count, int64_t start)
{
    for (size_t i = 0; i < count; i++) {
        legs[i].due = start + (int64_t)i * TICK_US / (int64_t)count;
        legs[i].consent_due = start + (int64_t)i * 2000000 / (int64_t)count;
        legs[i].report_due = start + 500000 + (int64_t)i * 1000000 / (int64_t)count;
        legs[i].last_sequence = -1;
    }
}

/* Each millisecond: sends what is due, and takes what came. Nothing of it waits for a packet,
 * so that no packet wakes it: a server that sends is not charged with waking whom it sends to,
 * who on a network is another machine. */
static void run(struct leg *legs, size_t count, int64_t until, FILE *recording)
{
    spread(legs, count, now_us());
    for (int64_t at = now_us(); at < until; at = later(at + ROUND_US, now_us())) {
        sleep_until(at);
        const int64_t now = now_us();
        for (size_t i = 0; i < count; i++)
            send_due(&legs[i], now, recording);
        for (size_t i = 0; i < count; i++)
            receive(&legs[i], recording);
    }
}

static void print_leg(const struct leg *leg)
{
    printf("{\"leg\": %" PRIu32 ", \"sent\": %" PRIu64 ", \"dropped\": %" PRIu64
           ", \"received\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"unauthentic\": %" PRIu64
           ", \"send_failed\": %" PRIu64 ", \"longest_gap_ms\": %.1f}\n",
           leg->number, leg->sent, leg->dropped, leg->received, leg->lost, leg->unauthentic,
           leg->send_failed, (double)leg->longest_gap / 1000);
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "load SECONDS RECORDING <legs\n");
        return 2;
    }
    FILE *recording = fopen(arguments[2], "wb");
    struct leg *legs = calloc(LEGS_MAX, sizeof *legs);
    if (!recording || !legs) {
        perror("load");
        return 2;
    }
    const size_t leg_count = read_legs(legs, LEGS_MAX);
    printf("ready\n");
    fflush(stdout);
    char line[64];
    if (!fgets(line, sizeof line, stdin))
        return 2;
    run(legs, leg_count, now_us() + (int64_t)(atof(arguments[1]) * 1e6), recording);
    for (size_t i = 0; i < leg_count; i++)
        print_leg(&legs[i]);
    return fclose(recording) != 0;
}
