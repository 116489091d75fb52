/* The bounded queue of what the plane has to say, and the eventfd that tells there is
 * something. Its own lock, a leaf. */
#ifndef MCU_PLANE_EVENTS_H
#define MCU_PLANE_EVENTS_H

#include <mcu/plane.h>

struct events;
struct events *events_new(void); /* NULL with errno */
void events_free(struct events *events);
int events_fd(const struct events *events);
/* false: it was full; the data is freed. */
bool events_put(struct events *events, const struct mcu_event *event);
int events_take(struct events *events, struct mcu_event *event);
/* Some wait for others, so that there is one wake-up for many: until when; INT64_MAX: none
 * does. */
int64_t events_wake(struct events *events);
/* Tells of those whose time has come. */
void events_remind(struct events *events, int64_t now);
uint64_t events_dropped(struct events *events);

#endif
