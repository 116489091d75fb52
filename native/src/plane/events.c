#include "events.h"

#include "internal.h"
#include "lock.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* From here on pictures are dropped, so that there is room for what cannot be had again. */
#define PICTURES_UNTIL (MCU_PLANE_EVENTS / 2)
/* So many of those that can wait for others wait. */
#define WAIT_UNTIL (MCU_PLANE_EVENTS / 8)
/* A tick, which comes as often, tells of them as a rule. */
#define WAIT_US 25000

struct events {
    pthread_mutex_t lock;
    int fd;
    size_t first, count, bytes;
    bool told;     /* `fd` is readable */
    int64_t waits; /* since when there are some, where it is not */
    uint64_t dropped;
    struct mcu_event ring[MCU_PLANE_EVENTS];
};

struct events *events_new(void)
{
    struct events *events = calloc(1, sizeof *events);
    if (!events)
        return NULL;
    events->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (events->fd < 0) {
        free(events);
        return NULL;
    }
    lock_begin(&events->lock);
    return events;
}

void events_free(struct events *events)
{
    for (; events->count; events->count--)
        free(events->ring[events->first++ % MCU_PLANE_EVENTS].data);
    close(events->fd);
    pthread_mutex_destroy(&events->lock);
    free(events);
}

int events_fd(const struct events *events) { return events->fd; }

static bool has_room(const struct events *events, const struct mcu_event *event)
{
    if (event->kind == MCU_EVENT_PICTURE)
        return events->count < PICTURES_UNTIL &&
               events->bytes + event->size <= MCU_PLANE_EVENT_BYTES;
    return events->count < MCU_PLANE_EVENTS;
}

/* A wake-up costs more than the event. Each leg's reports come once a second, and are not late
 * at the next tick. Nor are pictures: they are taken as the room's next is begun, if not
 * before. But one that somebody may have waited for, or that is to wait so long and no longer,
 * is told of at once. */
static bool can_wait(const struct events *events, const struct mcu_event *event)
{
    const bool report = event->kind == MCU_EVENT_REPORT || event->kind == MCU_EVENT_LOSS;
    const bool picture = event->kind == MCU_EVENT_PICTURE && !event->key && !event->b;
    return (report || picture) && events->count < WAIT_UNTIL;
}

/* Locked. */
static void tell(struct events *events)
{
    events->told = true;
    eventfd_write(events->fd, 1);
}

bool events_put(struct events *events, const struct mcu_event *event)
{
    pthread_mutex_lock(&events->lock);
    const bool room = has_room(events, event);
    if (room) {
        events->ring[(events->first + events->count++) % MCU_PLANE_EVENTS] = *event;
        events->bytes += event->size;
        if (events->count == 1)
            events->waits = plane_now();
        if (!events->told && !can_wait(events, event))
            tell(events);
    } else {
        events->dropped++;
    }
    pthread_mutex_unlock(&events->lock);
    if (!room)
        free(event->data);
    return room;
}

int events_take(struct events *events, struct mcu_event *event)
{
    pthread_mutex_lock(&events->lock);
    const int taken = events->count > 0;
    if (taken) {
        *event = events->ring[events->first];
        events->first = (events->first + 1) % MCU_PLANE_EVENTS;
        events->bytes -= event->size;
        eventfd_t value;
        if (--events->count == 0 && events->told) {
            events->told = false;
            eventfd_read(events->fd, &value);
        }
    }
    pthread_mutex_unlock(&events->lock);
    return taken;
}

int64_t events_wake(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    const int64_t wake = events->count && !events->told ? events->waits + WAIT_US : INT64_MAX;
    pthread_mutex_unlock(&events->lock);
    return wake;
}

void events_remind(struct events *events, int64_t now)
{
    pthread_mutex_lock(&events->lock);
    if (events->count && !events->told && now - events->waits >= WAIT_US)
        tell(events);
    pthread_mutex_unlock(&events->lock);
}

uint64_t events_dropped(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    const uint64_t dropped = events->dropped;
    pthread_mutex_unlock(&events->lock);
    return dropped;
}

bool plane_event(struct mcu_plane *plane, const struct mcu_event *event)
{
    return events_put(plane->events, event);
}

void plane_say(struct mcu_plane *plane, enum mcu_event_kind kind, int leg, int64_t a)
{
    events_put(plane->events, &(struct mcu_event){.kind = kind, .leg = leg, .a = a});
}
