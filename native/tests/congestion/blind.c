/* Legs that say REMB and what they lost, and no more. */
#include "path.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t rate_of(struct mcu_estimate *estimate) { return mcu_estimate_rate(estimate); }

/* Sends so much for a time, with the ticks of it; returns when it is over. */
static int64_t send(struct mcu_estimate *estimate, double bits_per_second, int64_t from,
                    int64_t time)
{
    const uint32_t size = (uint32_t)(bits_per_second / 8 / 100);
    for (int64_t now = from; now < from + time; now += 10 * MS) {
        mcu_estimate_unnumbered(estimate, size, 0, false, now);
        mcu_estimate_tick(estimate, now);
    }
    return from + time;
}

static void a_remb_is_read_against_what_is_sent(void)
{
    struct mcu_estimate *estimate = mcu_estimate_new(2000000);
    CHECK(mcu_estimate_room(estimate, 1000 * SECOND) == SIZE_MAX);
    int64_t now = send(estimate, 1600e3, 1000 * SECOND, 2 * SECOND);
    mcu_estimate_remb(estimate, 1700000, true,
                      now); /* that follows what came: nothing is full */
    CHECK(rate_of(estimate) == 2000000);
    mcu_estimate_remb(estimate, 500000, true, now);
    CHECK(rate_of(estimate) == 475000);
    mcu_estimate_remb(estimate, 3000000, true, now);
    CHECK(rate_of(estimate) == 3000000);
    mcu_estimate_free(estimate);
}

static void more_than_the_far_end_takes_is_not_sent_and_none_where_it_takes_none(void)
{
    struct mcu_estimate *estimate = mcu_estimate_new(2000000);
    struct mcu_line line;
    mcu_estimate_cap(estimate, 100000);
    mcu_estimate_line(estimate, &line, 1000 * SECOND);
    CHECK(line.pictures == 100000);
    mcu_estimate_cap(estimate, 0);
    mcu_estimate_line(estimate, &line, 1000 * SECOND);
    CHECK(line.pictures == 0);
    mcu_estimate_cap(estimate, UINT64_MAX);
    mcu_estimate_line(estimate, &line, 1000 * SECOND);
    CHECK(line.pictures == 2000000);
    mcu_estimate_free(estimate);
}

static void a_key_frame_is_not_held_against_a_remb_that_came_of_less(void)
{
    struct mcu_estimate *estimate = mcu_estimate_new(2000000);
    int64_t now = send(estimate, 400e3, 1000 * SECOND, 3 * SECOND);
    mcu_estimate_remb(estimate, 610000, true, now);
    now = send(estimate, 1500e3, now, 600 * MS);
    mcu_estimate_remb(estimate, 610000, true, now);
    mcu_estimate_remb(estimate, 600000, true, now);
    CHECK(rate_of(estimate) == 2000000);
    mcu_estimate_free(estimate);
}

static void a_remb_that_rises_is_let_rise_and_one_that_falls_or_stays_is_obeyed(void)
{
    for (int how = 0; how < 3; how++) {
        struct mcu_estimate *estimate = mcu_estimate_new(1300000);
        int64_t now = send(estimate, 1200e3, 1000 * SECOND, 2 * SECOND);
        mcu_estimate_remb(estimate, 600000, true, now);
        for (int i = 1; i <= 5; i++) {
            now = send(estimate, 1200e3, now, 500 * MS);
            mcu_estimate_remb(estimate, how == 0 ? 600000u + 10000u * (unsigned)i : 600000,
                              true, now);
        }
        if (how == 2)
            mcu_estimate_remb(estimate, 500000, true, now);
        const uint32_t obeyed[] = {1300000, 570000, 475000};
        CHECK(rate_of(estimate) == obeyed[how]);
        mcu_estimate_free(estimate);
    }
}

/* A receiver that sees a queue where there is none, while a quiet picture is sent. */
static void one_low_remb_is_not_the_end_of_a_rate_that_is_little_used(void)
{
    struct mcu_estimate *estimate = mcu_estimate_new(2000000);
    int64_t now = send(estimate, 300e3, 1000 * SECOND, 3 * SECOND);
    mcu_estimate_remb(estimate, 450000, true, now);
    mcu_estimate_remb(estimate, 255000, true, now);
    CHECK(rate_of(estimate) == 1400000);
    mcu_estimate_free(estimate);
}

/* -- over a line -- */

/* The sender has classes, of which it sends a share. */
static void walk(struct path *path, double share, int64_t time)
{
    for (const int64_t until = path->now + time; path->now < until;) {
        const double rate = path_rate(path);
        path->wish = share * (rate >= 2300e3 ? 2e6 : rate >= 1150e3 ? 1e6 : 400e3);
        path_run(path, 100 * MS);
    }
}

static int64_t until_above(struct path *path, double share, double rate, int64_t most)
{
    for (int64_t took = 0; took <= most; took += 100 * MS) {
        if (path_rate(path) >= rate)
            return took;
        walk(path, share, 100 * MS);
    }
    return -1;
}

static void begin_low(struct path *path, double capacity)
{
    path_begin(path, capacity, 300e3);
    path->blind = true;
    mcu_estimate_aim(path->estimate, 2600000);
}

static void the_best_class_is_found_over_a_wide_line_however_quiet_the_picture(void)
{
    const double shares[] = {0.2, 0.5, 1.0};
    for (size_t i = 0; i < 3; i++) {
        struct path path;
        begin_low(&path, 20e6);
        const int64_t took = until_above(&path, shares[i], 2300e3, 60 * SECOND);
        if (getenv("SHOW"))
            fprintf(stderr, "  share %.1f: up after %lld ms\n", shares[i],
                    (long long)took / 1000);
        CHECK(took >= 0 && took < 15 * SECOND);
        double least = 1e12;
        for (int k = 0; k < 600; k++) {
            walk(&path, k % 100 < 50 ? shares[i] : 1.0, 100 * MS);
            least = path_rate(&path) < least ? path_rate(&path) : least;
        }
        CHECK(least > 1150e3);
        path_end(&path);
    }
}

static void a_line_that_carries_no_more_is_tried_seldom(void)
{
    struct path path;
    begin_low(&path, 700e3);
    unsigned above = 0, tries = 0;
    bool was = false;
    for (int i = 0; i < 3000; i++) {
        walk(&path, 1.0, 100 * MS);
        const bool is = path_rate(&path) >= 1150e3; /* more is sent than it carries */
        above += is;
        tries += is && !was;
        was = is;
    }
    if (getenv("SHOW"))
        fprintf(stderr, "  %u tries in 300 s, %u ms above, sound late %lld ms, lost %llu\n",
                tries, 100 * above, (long long)path.sound_late / 1000,
                (unsigned long long)path.sound_lost);
    CHECK(tries >= 1 && tries <= 8);
    CHECK(above < 100);
    path_end(&path);
}

static void more_is_tried_after_a_while_and_less_often_when_it_failed(void)
{
    struct mcu_estimate *estimate = mcu_estimate_new(2000000);
    int64_t now = 1000 * SECOND, tries[2] = {0};
    mcu_estimate_aim(estimate, 2000000);
    for (int i = 0; i < 2; i++) {
        now = send(estimate, 1500e3, now, 2 * SECOND);
        mcu_estimate_remb(estimate, 400000, true, now);
        mcu_estimate_remb(estimate, 390000, true, now);
        const int64_t from = now;
        while (rate_of(estimate) < 600000 && now - from < 100 * SECOND)
            mcu_estimate_tick(estimate, now += 100 * MS);
        tries[i] = now - from;
    }
    CHECK(tries[0] > 5 * SECOND && tries[0] < 10 * SECOND);
    CHECK(tries[1] > tries[0] + 4 * SECOND && tries[1] < 20 * SECOND);
    mcu_estimate_free(estimate);
}

/* Its REMB of a picture of one colour is less than its sound takes. Pictures come all the
 * time, and the best class when the machine has time again. */
static void
who_is_sent_little_and_sees_queues_that_are_none_is_not_stuck_without_a_picture(void)
{
    struct path path;
    path_begin(&path, 20e6, 2000e3);
    path.blind = path.narrowly = path.falsely = true;
    mcu_estimate_aim(path.estimate, 2600000);
    path.wish = 20e3;
    for (int i = 0; i < 30; i++) {
        const double before = path.delivered;
        path_run(&path, 2 * SECOND);
        CHECK(path.delivered > before);
    }
    path.falsely = false;
    const int64_t took = path_until_above(&path, 2300e3, 120 * SECOND);
    if (getenv("SHOW"))
        fprintf(stderr, "  up %lld ms after it\n", (long long)took / 1000);
    CHECK(took >= 0 && took < 90 * SECOND);
    path_end(&path);
}

static void a_narrow_line_is_seen_also_by_a_remb_of_its_pictures_alone(void)
{
    struct path path;
    path_begin(&path, 300e3, 2000e3);
    path.blind = path.narrowly = true;
    path.wish = 1e6;
    path_run(&path, 20 * SECOND);
    CHECK(path_rate(&path) < 330000);
    CHECK(path_rate(&path) > 150000);
    path_end(&path);
}

/* Whoever is sent no more pictures reports no more loss of them. */
static void loss_that_is_reported_no_more_does_not_hold_a_rate_down_for_ever(void)
{
    struct mcu_estimate *estimate = mcu_estimate_new(2000000);
    int64_t now = 1000 * SECOND;
    mcu_estimate_aim(estimate, 2000000);
    for (int i = 0; i < 20; i++) {
        now = send(estimate, 1500e3, now, SECOND);
        mcu_estimate_loss(estimate, 0.5 + 0.02 * i, now);
    }
    const uint32_t low = rate_of(estimate);
    for (const int64_t until = now + 200 * SECOND; now < until;)
        mcu_estimate_tick(estimate, now += 100 * MS);
    CHECK(low < 1000000 && rate_of(estimate) >= 2000000);
    mcu_estimate_free(estimate);
}

void blind_tests(void)
{
    TEST(who_is_sent_little_and_sees_queues_that_are_none_is_not_stuck_without_a_picture);
    TEST(a_narrow_line_is_seen_also_by_a_remb_of_its_pictures_alone);
    TEST(loss_that_is_reported_no_more_does_not_hold_a_rate_down_for_ever);
    TEST(a_remb_is_read_against_what_is_sent);
    TEST(more_than_the_far_end_takes_is_not_sent_and_none_where_it_takes_none);
    TEST(a_key_frame_is_not_held_against_a_remb_that_came_of_less);
    TEST(a_remb_that_rises_is_let_rise_and_one_that_falls_or_stays_is_obeyed);
    TEST(one_low_remb_is_not_the_end_of_a_rate_that_is_little_used);
    TEST(the_best_class_is_found_over_a_wide_line_however_quiet_the_picture);
    TEST(a_line_that_carries_no_more_is_tried_seldom);
    TEST(more_is_tried_after_a_while_and_less_often_when_it_failed);
}
