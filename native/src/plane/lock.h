/* The locks that the sound thread takes: who holds one of them while it waits runs in its
 * place, in real time, and is not kept off the processor by what is less urgent than sound. */
#ifndef MCU_PLANE_LOCK_H
#define MCU_PLANE_LOCK_H

#include <pthread.h>

static inline void lock_begin(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

#endif
