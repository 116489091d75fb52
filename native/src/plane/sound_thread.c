/* The sound thread: the steps that wait for it, and what it found. */
#include "sounding.h"

#include "lock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* -- asking for a step -- */

static bool copy_mixes(struct step *step, const struct mcu_mix *mixes, size_t count)
{
    if (count > step->mix_capacity) {
        int *sounds = realloc(step->sounds, count * sizeof *sounds);
        step->sounds = sounds ? sounds : step->sounds;
        int16_t *samples =
            sounds ? realloc(step->samples, count * MCU_TICK * sizeof *samples) : NULL;
        if (!samples)
            return false;
        step->samples = samples;
        step->mix_capacity = count;
    }
    for (size_t at = 0; at < count; at++) {
        step->sounds[at] = mixes[at].sound;
        memcpy(&step->samples[at * MCU_TICK], mixes[at].samples,
               MCU_TICK * sizeof step->samples[0]);
    }
    step->mix_count = count;
    return true;
}

static bool copy_routes(struct step *step, const struct mcu_route *routes, size_t count)
{
    if (count > step->route_capacity) {
        struct mcu_route *larger = realloc(step->routes, count * sizeof *larger);
        if (!larger)
            return false;
        step->routes = larger;
        step->route_capacity = count;
    }
    if (count)
        memcpy(step->routes, routes, count * sizeof *routes);
    step->route_count = count;
    return true;
}

static struct step *next_step(struct sounding *sounding)
{
    if (sounding->waiting < STEPS)
        return &sounding->steps[(sounding->first + sounding->waiting) % STEPS];
    errno = EAGAIN;
    return NULL;
}

static int ask(struct mcu_plane *plane, const struct step *what, const struct mcu_mix *mixes)
{
    struct sounding *sounding = plane->sounding;
    pthread_mutex_lock(&sounding->queue);
    struct step *step = next_step(sounding);
    const bool full = !step;
    if (step && !(copy_mixes(step, mixes, what->mix_count) &&
                  copy_routes(step, what->routes, what->route_count)))
        step = NULL;
    if (step) {
        step->kind = what->kind;
        step->tick = what->tick;
        step->at = what->at;
        step->number = ++sounding->steps_asked;
        sounding->waiting++;
    }
    pthread_mutex_unlock(&sounding->queue);
    if (step) /* not before: it begins at once, and would find the queue locked */
        pthread_cond_signal(&sounding->asked);
    if (!full)
        return step ? 0 : -1;
    plane_lock(plane);
    plane_drop(plane, NULL, MCU_DROP_TICK);
    plane_unlock(plane);
    errno = EAGAIN;
    return -1;
}

int mcu_plane_collect(struct mcu_plane *plane, int64_t tick, int64_t at)
{
    return ask(plane, &(struct step){.kind = STEP_COLLECT, .tick = tick, .at = at}, NULL);
}

int mcu_plane_send(struct mcu_plane *plane, int64_t tick, const struct mcu_mix *mixes,
                   size_t mix_count, const struct mcu_route *routes, size_t route_count)
{
    const struct step step = {.kind = STEP_SEND,
                              .tick = tick,
                              .mix_count = mix_count,
                              .routes = (struct mcu_route *)(uintptr_t)routes,
                              .route_count = route_count};
    return ask(plane, &step, mixes);
}

int mcu_plane_skip(struct mcu_plane *plane, int64_t tick)
{
    return ask(plane, &(struct step){.kind = STEP_SKIP, .tick = tick}, NULL);
}

/* -- what was found -- */

size_t mcu_plane_talkers(struct mcu_plane *plane, struct mcu_talker *talkers, int16_t *samples,
                         size_t room)
{
    struct sounding *sounding = plane->sounding;
    pthread_mutex_lock(&sounding->queue);
    const size_t count = sounding->taken.count;
    const size_t copied = count < room ? count : room;
    if (copied) {
        memcpy(talkers, sounding->taken.talkers, copied * sizeof *talkers);
        memcpy(samples, sounding->taken.samples, copied * MCU_TICK * sizeof *samples);
    }
    pthread_mutex_unlock(&sounding->queue);
    return count;
}

static void publish(struct mcu_plane *plane, int64_t tick)
{
    struct sounding *sounding = plane->sounding;
    pthread_mutex_lock(&sounding->queue);
    const struct take before = sounding->taken;
    sounding->taken = sounding->taking;
    sounding->taking = before;
    pthread_mutex_unlock(&sounding->queue);
    plane_event(plane,
                &(struct mcu_event){.kind = MCU_EVENT_COLLECTED, .a = tick, .b = plane_now()});
}

/* -- the thread -- */

/* The step that is next, once it is due. */
static const struct step *due_step(const struct sounding *sounding)
{
    const struct step *next = &sounding->steps[sounding->first];
    return sounding->waiting && next->at <= plane_now() ? next : NULL;
}

static void wait(struct sounding *sounding)
{
    if (!sounding->waiting) {
        pthread_cond_wait(&sounding->asked, &sounding->queue);
        return;
    }
    const int64_t at = sounding->steps[sounding->first].at;
    const struct timespec until = {.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000};
    pthread_cond_timedwait(&sounding->asked, &sounding->queue, &until);
}

/* Waits for a step, which stays in the queue until it is done, or for something to be freed.
 * false: the thread is to end. */
static bool wait_for_work(struct sounding *sounding, const struct step **step)
{
    pthread_mutex_lock(&sounding->queue);
    while (!(*step = due_step(sounding)) && !sounding->untidy && !sounding->ending)
        wait(sounding);
    sounding->untidy = false;
    const bool goes_on = !sounding->ending;
    pthread_mutex_unlock(&sounding->queue);
    return goes_on;
}

static void step_done(struct mcu_plane *plane, const struct step *step)
{
    struct sounding *sounding = plane->sounding;
    plane_lock(plane);
    plane->audio_coding_ns = mcu_codec_spent();
    plane_unlock(plane);
    sounding->done = step->number;
    pthread_mutex_lock(&sounding->queue);
    sounding->first = (sounding->first + 1) % STEPS;
    sounding->waiting--;
    sounding->untidy |= sounding->in_use;
    pthread_mutex_unlock(&sounding->queue);
}

/* Before each step, so that none finds what was removed before it was asked for. What a step
 * that waits may use is freed once that is done. */
static void tidy(struct mcu_plane *plane) { plane->sounding->in_use = !sounding_reap(plane); }

static void carry_out(struct mcu_plane *plane, const struct step *step)
{
    switch (step->kind) {
    case STEP_COLLECT:
        sounding_collect(plane);
        publish(plane, step->tick);
        break;
    case STEP_SEND:
        sounding_deliver(plane, step);
        break;
    case STEP_SKIP:
        sounding_pass(plane);
        break;
    }
    step_done(plane, step);
}

static void *run(void *argument)
{
    struct mcu_plane *plane = argument;
    const struct step *step;
    while (wait_for_work(plane->sounding, &step)) {
        tidy(plane);
        if (step)
            carry_out(plane, step);
    }
    return NULL;
}

/* Before all that is not in real time, where we may (RLIMIT_RTPRIO, CAP_SYS_NICE): it has a
 * tick's work to do and sleeps, and others would have it wait for milliseconds at each of its
 * steps. Done by who starts it, for whoever may now may soon not any more. */
static void hurry(pthread_t thread)
{
    (void)pthread_setschedparam(thread, SCHED_RR, &(struct sched_param){.sched_priority = 1});
}

/* Signals are for the caller's threads. */
static int start(struct mcu_plane *plane)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failure = pthread_create(&plane->sounding->thread, NULL, run, plane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failure) {
        pthread_setname_np(plane->sounding->thread, "mcu-sound"); /* as in packet_thread.c */
        hurry(plane->sounding->thread);
    }
    return failure;
}

/* Steps are due by the plane's clock. */
static void begin_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int sounding_begin(struct mcu_plane *plane)
{
    struct sounding *sounding = calloc(1, sizeof *sounding);
    if (!sounding)
        return -1;
    lock_begin(&sounding->queue);
    begin_condition(&sounding->asked);
    plane->sounding = sounding;
    const int failure = start(plane);
    if (!failure)
        return 0;
    free(sounding);
    plane->sounding = NULL;
    errno = failure;
    return -1;
}

static void free_shelves(struct sounding *sounding)
{
    for (size_t at = 0; at < sounding->rooms.count; at++)
        room_free((struct room *)sounding->rooms.each[at]);
    for (size_t at = 0; at < sounding->sounds.count; at++) {
        struct sound *sound = (struct sound *)sounding->sounds.each[at];
        sounding_put_back(sounding, sound, true);
        sound_free(sound);
    }
    free(sounding->rooms.each);
    free(sounding->sounds.each);
    free(sounding->unspoken.each);
}

static void free_scratch(struct sounding *sounding)
{
    struct handles *handles[] = {&sounding->chosen, &sounding->fading, &sounding->unlevelled,
                                 &sounding->unsendable};
    for (size_t at = 0; at < sizeof handles / sizeof handles[0]; at++)
        free(handles[at]->each);
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++)
        free(sounding->listening[codec].each);
    struct take *takes[] = {&sounding->taken, &sounding->taking};
    for (size_t at = 0; at < 2; at++) {
        free(takes[at]->talkers);
        free(takes[at]->samples);
    }
    for (size_t at = 0; at < STEPS; at++) {
        free(sounding->steps[at].sounds);
        free(sounding->steps[at].samples);
        free(sounding->steps[at].routes);
    }
    free(sounding->standings);
    free(sounding->levels);
}

void sounding_end(struct mcu_plane *plane)
{
    struct sounding *sounding = plane->sounding;
    if (!sounding)
        return;
    pthread_mutex_lock(&sounding->queue);
    sounding->ending = true;
    pthread_cond_signal(&sounding->asked);
    pthread_mutex_unlock(&sounding->queue);
    pthread_join(sounding->thread, NULL);
    free_shelves(sounding);
    sounding_free_encoders(sounding);
    free_scratch(sounding);
    pthread_cond_destroy(&sounding->asked);
    pthread_mutex_destroy(&sounding->queue);
    free(sounding);
    plane->sounding = NULL;
}
