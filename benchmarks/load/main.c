#include "load.h"

#include <inttypes.h>
#include <sched.h>
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
        legs[i].picture_due = legs[i].layer_count
                                  ? start + (int64_t)i * legs[i].picture_every / (int64_t)count
                                  : INT64_MAX;
        legs[i].last_sequence = -1;
    }
}

/* What is counted begins now. */
static void settled(struct leg *legs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        legs[i].longest_gap = legs[i].seen.longest_gap = 0;
        legs[i].seen.pictures = legs[i].seen.packets = legs[i].seen.bytes = 0;
        legs[i].seen.asked = legs[i].seen.keys_wanted = 0;
        for (size_t layer = 0; layer < legs[i].layer_count; layer++)
            legs[i].layers[layer].keys_asked = 0;
    }
}

/* Nothing else makes the load late, where it may say so. */
static void hurry(void)
{
    (void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
}

/* Each millisecond: sends what is due, and takes what came. Nothing of it waits for a packet,
 * so that no packet wakes it: a server that sends is not charged with waking whom it sends to,
 * who on a network is another machine. */
static void run(struct leg *legs, size_t count, int64_t settle, int64_t until, FILE *recording)
{
    spread(legs, count, now_us());
    for (int64_t at = now_us(); at < until; at = later(at + ROUND_US, now_us())) {
        sleep_until(at);
        const int64_t now = now_us();
        if (settle && now >= settle) {
            settled(legs, count);
            settle = 0;
        }
        for (size_t i = 0; i < count; i++)
            send_due(&legs[i], now, recording);
        for (size_t i = 0; i < count; i++)
            receive(&legs[i], recording);
    }
}

static void print_pictures(const struct leg *leg)
{
    const struct seen *seen = &leg->seen;
    uint64_t sent = 0, keys_asked = 0, again = 0;
    for (size_t i = 0; i < leg->layer_count; i++) {
        sent += leg->layers[i].sent;
        keys_asked += leg->layers[i].keys_asked;
        again += leg->layers[i].again;
    }
    printf(", \"pictures\": %" PRIu64 ", \"picture_packets\": %" PRIu64
           ", \"picture_bytes\": %" PRIu64 ", \"picture_gap_ms\": %.1f, \"asked\": %" PRIu64
           ", \"keys_wanted\": %" PRIu64 ", \"pictures_sent\": %" PRIu64
           ", \"keys_asked\": %" PRIu64 ", \"sent_again\": %" PRIu64,
           seen->pictures, seen->packets, seen->bytes, (double)seen->longest_gap / 1000,
           seen->asked, seen->keys_wanted, sent, keys_asked, again);
}

static void print_leg(const struct leg *leg)
{
    printf("{\"leg\": %" PRIu32 ", \"sent\": %" PRIu64 ", \"dropped\": %" PRIu64
           ", \"received\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"unauthentic\": %" PRIu64
           ", \"send_failed\": %" PRIu64 ", \"longest_gap_ms\": %.1f",
           leg->number, leg->sent, leg->dropped, leg->received, leg->lost, leg->unauthentic,
           leg->send_failed, (double)leg->longest_gap / 1000);
    if (leg->seen.type || leg->layer_count)
        print_pictures(leg);
    printf("}\n");
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "load SECONDS SETTLE RECORDING <legs\n");
        return 2;
    }
    FILE *recording = fopen(arguments[3], "wb");
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
    hurry();
    const int64_t now = now_us();
    run(legs, leg_count, now + (int64_t)(atof(arguments[2]) * 1e6),
        now + (int64_t)(atof(arguments[1]) * 1e6), recording);
    for (size_t i = 0; i < leg_count; i++)
        print_leg(&legs[i]);
    return fclose(recording) != 0;
}
