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

struct events {
    pthread_mutex_t lock;
    int fd;
    size_t first, count, bytes;
    bool told; /* `fd` is readable */
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

/* Each leg's come once a second, and nothing is late that is done at the next tick: a wake-up
 * costs more than the event. */
static bool can_wait(const struct events *events, const struct mcu_event *event)
{
    return (event->kind == MCU_EVENT_REPORT || event->kind == MCU_EVENT_LOSS) &&
           events->count < WAIT_UNTIL;
}

bool events_put(struct events *events, const struct mcu_event *event)
{
    pthread_mutex_lock(&events->lock);
    const bool room = has_room(events, event);
    if (room) {
        events->ring[(events->first + events->count++) % MCU_PLANE_EVENTS] = *event;
        events->bytes += event->size;
        if (!events->told && !can_wait(events, event)) {
            events->told = true;
            eventfd_write(events->fd, 1);
        }
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
