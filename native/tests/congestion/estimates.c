/* The estimate over simulated lines: how soon, how steady, and what sound pays for it. */
#include "path.h"

#include <stdio.h>
#include <stdlib.h>

/* What the rate was in a while, looked at each 100 ms. */
struct seen {
    double least, most, mean;
};
static struct seen watch(struct path *path, int64_t time)
{
    struct seen seen = {.least = 1e12};
    const int steps = (int)(time / (100 * MS));
    for (int i = 0; i < steps; i++) {
        path_run(path, 100 * MS);
        const double rate = path_rate(path);
        seen.least = rate < seen.least ? rate : seen.least;
        seen.most = rate > seen.most ? rate : seen.most;
        seen.mean += rate / steps;
    }
    return seen;
}

static void say(const char *what, const struct path *path, const struct seen *seen,
                int64_t took)
{
    if (getenv("SHOW"))
        fprintf(stderr,
                "  %-28s %6.0f .. %6.0f, mean %6.0f kbit/s; took %5lld ms, sound late %4lld, "
                "gap %4lld "
                "ms, lost %llu, padding %llu\n",
                what, seen ? seen->least / 1e3 : 0, seen ? seen->most / 1e3 : 0,
                seen ? seen->mean / 1e3 : 0, (long long)took / 1000,
                (long long)path->sound_late / 1000, (long long)path->sound_gap / 1000,
                (unsigned long long)path->sound_lost, (unsigned long long)path->padding);
}

static void a_line_that_carries_more_is_found_by_probes(void)
{
    struct path path;
    path_begin(&path, 20e6, 300e3);
    path.wish = 2e6;
    mcu_estimate_aim(path.estimate, 2400000);
    const int64_t took = path_until_above(&path, 2.3e6, 15 * SECOND);
    say("found", &path, NULL, took);
    CHECK(took >= 0 && took < 6 * SECOND);
    CHECK(path.sound_late < 10 * MS);
    const uint64_t padding = path.padding;
    path_run(&path, 30 * SECOND);
    CHECK(path.padding == padding); /* there is nothing more to gain */
    path_end(&path);
}

static void what_the_far_end_does_not_take_is_not_probed_for(void)
{
    struct path path;
    path_begin(&path, 20e6, 600e3);
    path.wish = 2e6;
    mcu_estimate_aim(path.estimate, 2400000);
    mcu_estimate_cap(path.estimate, 500000);
    path_run(&path, 10 * SECOND);
    CHECK(path.padding == 0);
    CHECK(path.delivered * 8 / 10 < 510e3);
    mcu_estimate_cap(path.estimate, 4000000);
    CHECK(path_until_above(&path, 2.3e6, 15 * SECOND) >= 0);
    path_end(&path);
}

/* `start`: the estimate while 2 Mbit/s are sent. */
static void narrow_and_widen(double start)
{
    struct path path;
    path_begin(&path, 20e6, start);
    path.wish = 2e6;
    mcu_estimate_aim(path.estimate, 2400000);
    path_run(&path, 5 * SECOND);
    path.capacity = 256e3;
    const int64_t down = path_until_below(&path, 260e3, 3 * SECOND);
    say("narrowed", &path, NULL, down);
    CHECK(down >= 0 && down < 350 * MS); /* the first report or two: pictures are held */
    CHECK(path.sound_lost <= 4);
    path_run(&path, 2 * SECOND);
    say("narrowing", &path, NULL, down);
    path.sound_late = path.sound_gap = 0;
    const uint64_t lost = path.sound_lost;
    const struct seen seen = watch(&path, 17 * SECOND);
    say("narrow", &path, &seen, down);
    CHECK(seen.mean > 150e3 && seen.mean < 270e3 && seen.most < 600e3);
    CHECK(path.sound_late < 150 * MS && path.sound_gap <= 40 * MS);
    CHECK(path.sound_lost == lost);
    path.capacity = 20e6;
    const int64_t up = path_until_above(&path, 2.3e6, 15 * SECOND);
    say("wide again", &path, NULL, up);
    CHECK(up >= 0 && up < 12 * SECOND);
    path_end(&path);
}

/* The longest time between two packets of sound in half a minute, some seconds after a line of
 * 20 Mbit/s became one of so much. */
static int64_t gap_on(double line, uint32_t seeded, double *delivered, uint64_t *padding)
{
    struct path path;
    seed(seeded);
    path_begin(&path, 20e6, 2400e3);
    path.wish = 2e6;
    mcu_estimate_aim(path.estimate, 2400000);
    path_run(&path, 5 * SECOND);
    path.capacity = line;
    path_run(&path, 2500 * MS);
    path.sound_gap = 0;
    path.delivered = 0;
    path_run(&path, 30 * SECOND);
    *delivered = path.delivered * 8 / 30;
    *padding += path.padding;
    path_end(&path);
    return path.sound_gap;
}

static void sound_waits_for_nothing_but_a_packet_or_two_on_a_narrow_line(void)
{
    const double lines[] = {150e3, 256e3, 500e3, 1e6};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        uint64_t padding = 0;
        double delivered = 0, least = lines[i];
        int64_t most = 0;
        for (uint32_t seeded = 1; seeded <= 60; seeded++) {
            const int64_t gap = gap_on(lines[i], seeded, &delivered, &padding);
            most = gap > most ? gap : most;
            least = delivered < least ? delivered : least;
        }
        if (getenv("SHOW"))
            fprintf(stderr, "  %.0f kbit/s: gap %lld us, pictures %.0f kbit/s\n",
                    lines[i] / 1e3, (long long)most, least / 1e3);
        CHECK(padding > 0); /* what finds out whether it carries more holds no sound up */
        CHECK(most <= 40 * MS);
        CHECK(least > 0.4 * (lines[i] - 72e3));
    }
}

static void a_line_that_narrows_is_followed_and_found_again(void) { narrow_and_widen(2400e3); }

static void so_is_one_that_was_not_half_used(void) { narrow_and_widen(4200e3); }

static void what_the_server_itself_reads_late_is_no_queue(void)
{
    struct path path;
    path_begin(&path, 20e6, 2400e3);
    path.wish = 2e6;
    path_run(&path, 5 * SECOND);
    path.delivered = 0;
    for (int i = 0; i < 20; i++) {
        path.late = 150 * MS;
        path_run(&path, 400 * MS);
        path.late = 0;
        path_run(&path, 600 * MS);
        CHECK(path_rate(&path) >= 2400e3);
    }
    CHECK(path.delivered * 8 / 20 > 1800e3);
    path_end(&path);
}

static void what_the_server_itself_sends_late_is_no_queue(void)
{
    struct path path;
    path_begin(&path, 20e6, 2400e3);
    path.wish = 2e6;
    path_run(&path, 5 * SECOND);
    for (int i = 0; i < 20; i++) {
        path.stalled = path.now + 150 * MS;
        path_run(&path, SECOND);
        CHECK(path_rate(&path) >= 2400e3);
    }
    path_end(&path);
}

static void a_queue_of_somebody_else_stops_pictures_for_a_second_at_most(void)
{
    struct path path;
    path_begin(&path, 20e6, 1e6);
    path.wish = 500e3;
    path_run(&path, 5 * SECOND);
    for (int i = 0; i < 6500; i++) {
        path.free_at = (double)(path.now + 200 * MS);
        path.delivered = i < 1500 ? 0 : path.delivered;
        path_run(&path, MS);
    }
    say("somebody's queue", &path, NULL, 0);
    CHECK(path.delivered * 8 / 5 > 40e3);
    path_end(&path);
}

static void a_full_line_is_steady(void)
{
    const double lines[] = {400e3, 1e6, 3e6};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct path path;
        path_begin(&path, lines[i], 2e6);
        path.wish = 4e6;
        mcu_estimate_aim(path.estimate, 4000000);
        path_run(&path, 10 * SECOND);
        path.sound_late = path.sound_gap = 0;
        path.delivered = 0;
        const struct seen seen = watch(&path, 60 * SECOND);
        say("full", &path, &seen, 0);
        CHECK(path.delivered * 8 / 60 > 0.6 * (lines[i] - 72e3));
        CHECK(seen.mean > 0.65 * lines[i] && seen.mean < 1.1 * lines[i]);
        CHECK(path.sound_late < 250 * MS);
        path_end(&path);
    }
}

static void loss_at_random_does_not_lower_the_rate_for_long(void)
{
    const double losses[] = {0.05, 0.10};
    for (size_t i = 0; i < 2; i++)
        for (uint32_t seeded = 1; seeded <= 5; seeded++) {
            struct path path;
            seed(seeded);
            path_begin(&path, 20e6, 2400e3);
            path.wish = 2e6;
            path.loss = losses[i];
            mcu_estimate_aim(path.estimate, 2400000);
            const struct seen seen = watch(&path, 60 * SECOND);
            say("loss", &path, &seen, 0);
            CHECK(seen.mean > 2e6 && seen.least > 1e6);
            path_end(&path);
        }
}

static void loss_by_a_full_queue_of_nothing_lowers_it(void)
{
    struct path path;
    path_begin(&path, 500e3, 2400e3);
    path.queue = 15 * MS; /* a policer: nothing waits, so no delay tells */
    path.wish = 2e6;
    path_run(&path, 10 * SECOND);
    const struct seen seen = watch(&path, 20 * SECOND);
    say("policer", &path, &seen, 0);
    CHECK(seen.mean < 900e3);
    path_end(&path);
}

static void nothing_is_sent_into_silence(void)
{
    struct path path;
    path_begin(&path, 20e6, 2400e3);
    path.wish = 2e6;
    path_run(&path, 3 * SECOND);
    path.mute = true;
    path_run(&path, 400 * MS);
    CHECK(mcu_estimate_room(path.estimate, path.now) == 0);
    path_run(&path, 3 * SECOND);
    struct mcu_line line;
    mcu_estimate_line(path.estimate, &line, path.now);
    CHECK(line.state == MCU_LINE_SILENT && line.bits_per_second < 800e3);
    path.mute = false;
    mcu_estimate_aim(path.estimate, 2400000);
    const int64_t up = path_until_above(&path, 2.3e6, 15 * SECOND);
    say("heard again", &path, NULL, up);
    CHECK(up >= 0 && up < 10 * SECOND);
    path_end(&path);
}

static void a_picture_that_stands_still_does_not_lower_the_rate(void)
{
    struct path path;
    path_begin(&path, 20e6, 2400e3);
    path.wish = 20e3;
    const struct seen seen = watch(&path, 60 * SECOND);
    say("still", &path, &seen, 0);
    CHECK(seen.least > 2.3e6);
    path_end(&path);
}

/* -- whose clock is not to be trusted -- */

/* A report of one packet, at this reference time (64 ms, 24 bits). */
static void report(struct mcu_estimate *estimate, uint16_t number, bool received,
                   uint32_t reference, int64_t now)
{
    const uint8_t body[] = {(uint8_t)(number >> 8),
                            (uint8_t)number,
                            0,
                            1,
                            (uint8_t)(reference >> 16),
                            (uint8_t)(reference >> 8),
                            (uint8_t)reference,
                            0,
                            received ? 0x20 : 0,
                            1,
                            0};
    CHECK(mcu_estimate_feedback(estimate, body, sizeof body, now) == 0);
}

static void a_far_end_whose_clock_goes_back_again_and_again_is_borne(void)
{
    struct mcu_estimate *estimate = mcu_estimate_new(2000000);
    int64_t now = 1000 * SECOND;
    mcu_estimate_sent(estimate, 1000, false, now);
    uint32_t reference = 0;
    for (int i = 0; i < 3; i++) {
        report(estimate, 40000, false, reference, now += 100 * MS);
        reference =
            (reference + (1 << 23) + 1) & 0xFFFFFF; /* nearest: almost half a turn back */
    }
    for (uint16_t number = 1; number < 40; number++) {
        mcu_estimate_sent(estimate, 1000, true, now);
        report(estimate, number, true, reference, now += 100 * MS);
        reference = (reference + (1 << 23) + 1) & 0xFFFFFF;
    }
    struct mcu_line line;
    mcu_estimate_line(estimate, &line, now);
    CHECK(line.bits_per_second > line.pictures && line.bits_per_second <= 2000000);
    mcu_estimate_free(estimate);
}

/* -- the pace -- */

static void a_key_frame_leaves_in_bursts_of_a_few_milliseconds(void)
{
    struct mcu_pace pace = {0};
    int64_t now = SECOND;
    int bytes = 60000, bursts = 0, most = 0;
    mcu_pace_at(&pace, &(struct mcu_line){.pictures = 2000000}, now);
    while (bytes > 0) {
        int burst = 0;
        mcu_pace_at(&pace, &(struct mcu_line){.pictures = 2000000}, now);
        for (; bytes > 0 && mcu_pace_may(&pace, 1200); bytes -= 1200, burst += 1200)
            mcu_pace_spend(&pace, 1200);
        CHECK(burst > 0 || !bursts);
        most = bursts++ && burst > most ? burst : most;
        now = mcu_pace_due(&pace);
    }
    CHECK(most <= 4800); /* 5 ms of 5 Mbit/s, and a packet */
    CHECK(now - SECOND > 60 * MS && now - SECOND < 100 * MS);
    now += SECOND;
    mcu_pace_at(&pace, &(struct mcu_line){.pictures = 2000000}, now);
    for (bytes = 0; mcu_pace_may(&pace, 1200); bytes += 1200)
        mcu_pace_spend(&pace, 1200);
    CHECK(bytes > 12000 && bytes < 14400); /* an ordinary picture leaves at once */
}

static size_t burst(struct mcu_pace *pace, const struct mcu_line *line, size_t packet,
                    int64_t now)
{
    size_t bytes = 0;
    mcu_pace_at(pace, line, now);
    for (; mcu_pace_may(pace, packet); bytes += packet)
        mcu_pace_spend(pace, packet);
    return bytes;
}

static void pictures_leave_behind_sound_where_the_line_is_narrow(void)
{
    const struct mcu_line line = {.pictures = 150000};
    struct mcu_pace pace = {0};
    const size_t packet = mcu_pace_packet(220000, 1200);
    CHECK(packet > 300 && packet < 350); /* 12 ms */
    CHECK(mcu_pace_packet(2000000, 1200) == 1200 && mcu_pace_packet(1000, 1200) == 300);
    size_t bytes = 0;
    int64_t now = SECOND;
    for (int tick = 0; tick < 50; tick++, now += 20 * MS) {
        mcu_pace_sound(&pace, now);
        size_t behind = burst(&pace, &line, packet, now);
        CHECK(behind > 0);
        CHECK(mcu_pace_due(&pace) == now + 40 * MS); /* unless sound comes before */
        for (int64_t later = MS; later < 20 * MS; later += MS)
            behind += burst(&pace, &line, packet, now + later);
        CHECK(behind <= 2 * packet); /* 30 ms */
        bytes += behind;
    }
    CHECK(bytes * 8 > 150000 &&
          bytes * 8 <= 180000 + 8 * 2 * packet); /* and all of it is used */
    CHECK(burst(&pace, &line, packet, now + 2 * MS) ==
          0); /* sound is late: it is waited for */
    mcu_pace_sound(&pace, now + 3 * MS);
    CHECK(burst(&pace, &line, packet, now + 3 * MS) > 0);
}

static void what_is_longer_than_sound_waits_has_the_line_for_itself(void)
{
    const struct mcu_line line = {.pictures = 150000};
    struct mcu_pace pace = {0};
    int64_t now = SECOND;
    size_t bytes = 0;
    for (int tick = 0; tick < 50; tick++, now += 20 * MS) {
        mcu_pace_sound(&pace, now);
        const size_t behind = burst(&pace, &line, 1200, now);
        CHECK(behind <= 1200);
        bytes += behind;
        CHECK(burst(&pace, &line, 1200, now + 10 * MS) == 0);
        CHECK(pace.level >= 0 || !mcu_pace_may_repair(&pace, 1200));
    }
    CHECK(bytes * 8 > 150000);
    now += SECOND;
    mcu_pace_sound(&pace, now);
    mcu_pace_at(&pace, &line, now);
    CHECK(mcu_pace_may_repair(&pace, 1200)); /* nothing else waits */
    mcu_pace_spend(&pace, 600);
    CHECK(!mcu_pace_may_repair(&pace, 1200) && !mcu_pace_may(&pace, 300));
    CHECK(mcu_pace_may_repair(&pace, 300)); /* before pictures */
}

static void pictures_leave_one_by_one_where_no_sound_does(void)
{
    struct mcu_line line = {.pictures = 150000};
    struct mcu_pace pace = {0};
    size_t bytes = 0;
    for (int64_t now = SECOND; now < 11 * SECOND; now += MS) {
        const size_t more = burst(&pace, &line, 400, now);
        CHECK(more <= 400);
        bytes += more;
    }
    CHECK(bytes * 8 / 10 > 150000);
    line.full = true;
    bytes = 0;
    for (int64_t now = 11 * SECOND; now < 21 * SECOND; now += MS)
        bytes += burst(&pace, &line, 400, now);
    CHECK(bytes * 8 / 10 < 120000); /* a full queue becomes empty */
    line.pictures = 0;
    (void)burst(&pace, &line, 400, 21 * SECOND);
    mcu_pace_spend(&pace, 800);
    const int64_t due =
        mcu_pace_due(&pace); /* where there is no room it is looked for again */
    CHECK(due > 21 * SECOND && due < 24 * SECOND);
}

void estimate_tests(void)
{
    TEST(a_line_that_carries_more_is_found_by_probes);
    TEST(what_the_far_end_does_not_take_is_not_probed_for);
    TEST(sound_waits_for_nothing_but_a_packet_or_two_on_a_narrow_line);
    TEST(a_line_that_narrows_is_followed_and_found_again);
    TEST(so_is_one_that_was_not_half_used);
    TEST(what_the_server_itself_reads_late_is_no_queue);
    TEST(what_the_server_itself_sends_late_is_no_queue);
    TEST(a_queue_of_somebody_else_stops_pictures_for_a_second_at_most);
    TEST(a_full_line_is_steady);
    TEST(loss_at_random_does_not_lower_the_rate_for_long);
    TEST(loss_by_a_full_queue_of_nothing_lowers_it);
    TEST(nothing_is_sent_into_silence);
    TEST(a_picture_that_stands_still_does_not_lower_the_rate);
    TEST(a_far_end_whose_clock_goes_back_again_and_again_is_borne);
    TEST(a_key_frame_leaves_in_bursts_of_a_few_milliseconds);
    TEST(pictures_leave_behind_sound_where_the_line_is_narrow);
    TEST(what_is_longer_than_sound_waits_has_the_line_for_itself);
    TEST(pictures_leave_one_by_one_where_no_sound_does);
}
