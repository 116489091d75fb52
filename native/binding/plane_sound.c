/* The methods of Plane that are about sound: rooms, streams, and the two steps of a tick. */
#include "plane.h"

#include <errno.h>

PyObject *plane_add_room(PyObject *self, PyObject *args)
{
    return with_int(self, args, mcu_plane_add_room, number);
}

PyObject *plane_remove_room(PyObject *self, PyObject *args)
{
    return with_int(self, args, mcu_plane_remove_room, done);
}

PyObject *plane_hear(PyObject *self, PyObject *args)
{
    int leg, room;
    PyThreadState *thread;
    struct mcu_plane *plane =
        parsed(PyArg_ParseTuple(args, "ii", &leg, &room)) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int result = mcu_plane_hear(plane, leg, room);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_add_sound(PyObject *self, PyObject *args)
{
    int primed;
    PyThreadState *thread;
    struct mcu_plane *plane =
        PyArg_ParseTuple(args, "p", &primed) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int sound = mcu_plane_add_sound(plane, primed != 0);
    release_plane(self, thread);
    return number(sound);
}

PyObject *plane_remove_sound(PyObject *self, PyObject *args)
{
    return with_int(self, args, mcu_plane_remove_sound, done);
}

PyObject *plane_collect(PyObject *self, PyObject *args)
{
    long long tick, at;
    PyThreadState *thread;
    struct mcu_plane *plane =
        parsed(PyArg_ParseTuple(args, "LL", &tick, &at)) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int result = mcu_plane_collect(plane, tick, at);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_skip(PyObject *self, PyObject *args)
{
    long long tick;
    PyThreadState *thread;
    struct mcu_plane *plane =
        parsed(PyArg_ParseTuple(args, "L", &tick)) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int result = mcu_plane_skip(plane, tick);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_sent_sequence(PyObject *self, PyObject *args)
{
    int leg;
    PyThreadState *thread;
    struct mcu_plane *plane =
        parsed(PyArg_ParseTuple(args, "i", &leg)) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    errno = 0;
    const int64_t sequence = mcu_plane_sent_sequence(plane, leg);
    release_plane(self, thread);
    return sequence < 0 && errno ? refused() : PyLong_FromLongLong(sequence);
}

/* -- sending -- */

struct sending {
    PyObject *sounds, *routes;
    Py_buffer samples;
    long long tick;
    int *handles;
    struct mcu_mix *mixes;
    struct mcu_route *changes;
    size_t mix_count, change_count;
};

static void forget_sending(struct sending *sending)
{
    PyMem_Free(sending->handles);
    PyMem_Free(sending->mixes);
    PyMem_Free(sending->changes);
    if (sending->samples.obj)
        PyBuffer_Release(&sending->samples);
}

/* int16 in the machine's order. */
static int check_samples(const Py_buffer *samples, size_t rows)
{
    const char *format = samples->format ? samples->format : "B";
    if (*format == '@' || *format == '=')
        format++;
    if (format[0] != 'h' || format[1] || samples->itemsize != 2) {
        PyErr_SetString(PyExc_ValueError, "samples must be int16");
        return 0;
    }
    if ((size_t)samples->len == rows * MCU_TICK * sizeof(int16_t))
        return 1;
    PyErr_Format(PyExc_ValueError, "samples are %zd bytes, but %zu sounds need %zu",
                 samples->len, rows, rows * MCU_TICK * sizeof(int16_t));
    return 0;
}

static int make_mixes(struct sending *sending)
{
    sending->mixes = PyMem_Calloc(sending->mix_count + 1, sizeof *sending->mixes);
    if (!sending->mixes) {
        PyErr_NoMemory();
        return 0;
    }
    const int16_t *rows = sending->samples.buf;
    for (size_t at = 0; at < sending->mix_count; at++)
        sending->mixes[at] =
            (struct mcu_mix){.sound = sending->handles[at], .samples = rows + at * MCU_TICK};
    return 1;
}

static int get_sending(PyObject *args, struct sending *sending)
{
    PyObject *samples;
    return parsed(PyArg_ParseTuple(args, "LOOO", &sending->tick, &sending->sounds, &samples,
                                   &sending->routes)) &&
           get_handles(sending->sounds, &sending->handles, &sending->mix_count) &&
           PyObject_GetBuffer(samples, &sending->samples, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) ==
               0 &&
           check_samples(&sending->samples, sending->mix_count) && make_mixes(sending) &&
           get_routes(sending->routes, &sending->changes, &sending->change_count);
}

PyObject *plane_send(PyObject *self, PyObject *args)
{
    struct sending sending = {0};
    int result = -1;
    PyThreadState *thread;
    struct mcu_plane *plane = get_sending(args, &sending) ? hold_plane(self, &thread) : NULL;
    if (plane) {
        result = mcu_plane_send(plane, sending.tick, sending.mixes, sending.mix_count,
                                sending.changes, sending.change_count);
        release_plane(self, thread);
    }
    const int why = errno;
    forget_sending(&sending);
    errno = why;
    return plane ? done(result) : NULL;
}
