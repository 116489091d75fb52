#include "load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void watch(int epoll, struct leg *leg)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = leg};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, leg->fd, &wanted)) {
        perror("load: epoll_ctl");
        exit(2);
    }
}

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

/* In the order of `due`, so that each look at the clock sends few and none is late. */
static int64_t send_all_due(struct leg *legs, size_t count, int64_t now, FILE *recording)
{
    int64_t next = now + TICK_US;
    for (size_t i = 0; i < count; i++) {
        const int64_t due = send_due(&legs[i], now, recording);
        next = due < next ? due : next;
    }
    return next;
}

static void run(struct leg *legs, size_t count, int64_t until, FILE *recording)
{
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++)
        watch(epoll, &legs[i]);
    spread(legs, count, now_us());
    for (int64_t now = now_us(); now < until; now = now_us()) {
        int64_t next = send_all_due(legs, count, now, recording);
        if (next < now + 1000) /* in bunches of a millisecond */
            next = now + 1000;
        const struct timespec sleep = {.tv_nsec = (next - now) * 1000};
        struct epoll_event ready[64];
        const int some = epoll_pwait2(epoll, ready, 64, &sleep, NULL);
        for (int i = 0; i < some; i++)
            receive(ready[i].data.ptr, recording);
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
