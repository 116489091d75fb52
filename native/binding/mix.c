/* mix: a tick of a room, one row for each thing that is heard. */
#include "binding.h"

#include <mcu/mix.h>

#include <string.h>

/* -- rows of samples -- */

int get_samples(PyObject *object, Py_buffer *samples, int flags)
{
    if (PyObject_GetBuffer(object, samples, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | flags) != 0)
        return 0;
    const char *format = samples->format ? samples->format : "B";
    if (*format == '@' || *format == '=')
        format++;
    if (format[0] == 'h' && !format[1] && samples->itemsize == sizeof(int16_t))
        return 1;
    PyBuffer_Release(samples);
    PyErr_SetString(PyExc_ValueError, "samples must be int16");
    return 0;
}

int check_samples(const Py_buffer *samples, size_t rows)
{
    if ((size_t)samples->len == rows * MCU_TICK * sizeof(int16_t))
        return 1;
    PyErr_Format(PyExc_ValueError, "samples are %zd bytes, but %zu sounds need %zu",
                 samples->len, rows, rows * MCU_TICK * sizeof(int16_t));
    return 0;
}

/* -- what is heard -- */

struct said {
    const int16_t *rows;
    Py_ssize_t count;
};

static const int16_t *row_of(const struct said *said, Py_ssize_t row)
{
    if (row >= 0 && row < said->count)
        return &said->rows[row * MCU_TICK];
    PyErr_Format(PyExc_ValueError, "there is no row %zd of %zd", row, said->count);
    return NULL;
}

/* Calls `take` with each item of a sequence, until it returns 0. */
static int for_each(PyObject *sequence, int (*take)(PyObject *item, void *with), void *with)
{
    const Py_ssize_t count = PySequence_Size(sequence);
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *item = PySequence_GetItem(sequence, at);
        const int taken = item && take(item, with);
        Py_XDECREF(item);
        if (!taken)
            return 0;
    }
    return count >= 0;
}

static int check_count(PyObject *rows)
{
    const Py_ssize_t count = PySequence_Size(rows);
    return count >= 0 && check_number("rows of a sum", count, 0, MCU_MIX_ROWS / 2);
}

struct room { /* what all who talk in it say */
    struct said said;
    int32_t sum[MCU_TICK];
};

static int add_talker(PyObject *item, void *with)
{
    struct room *room = with;
    const Py_ssize_t at = PyLong_AsSsize_t(item);
    const int16_t *row =
        parsed(at != -1 || !PyErr_Occurred()) ? row_of(&room->said, at) : NULL;
    if (row)
        mcu_mix_add(room->sum, row);
    return row != NULL;
}

static int add_row(PyObject *item, void *with)
{
    Py_buffer row;
    if (!get_samples(item, &row, 0))
        return 0;
    const int fits = check_samples(&row, 1);
    if (fits)
        mcu_mix_add(with, row.buf);
    PyBuffer_Release(&row);
    return fits;
}

struct heard { /* where the next row goes */
    const struct room *room;
    int16_t *next;
};

static int mix_one(PyObject *item, void *with)
{
    struct heard *heard = with;
    int32_t sum[MCU_TICK] = {0};
    int inside, softer;
    Py_ssize_t own;
    PyObject *added;
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "what is heard must be (inside, own, softer, added)");
        return 0;
    }
    if (!parsed(PyArg_ParseTuple(item, "pnpO", &inside, &own, &softer, &added)) ||
        !check_count(added))
        return 0;
    const int16_t *less = own < 0 ? NULL : row_of(&heard->room->said, own);
    if (own >= 0 && !less)
        return 0;
    if (inside)
        memcpy(sum, heard->room->sum, sizeof sum);
    if (inside && less)
        mcu_mix_less(sum, less);
    if (softer)
        mcu_mix_soften(sum);
    if (!for_each(added, add_row, sum))
        return 0;
    mcu_mix_limit(sum, heard->next);
    heard->next += MCU_TICK;
    return 1;
}

static PyObject *mixed(Py_buffer *rows, const Py_buffer *said, PyObject *talking,
                       PyObject *streams)
{
    const Py_ssize_t tick = MCU_TICK * sizeof(int16_t), count = PySequence_Size(streams);
    struct room room = {.said = {.rows = said->buf, .count = said->len / tick}};
    struct heard heard = {.room = &room, .next = rows->buf};
    if (count < 0 || !check_samples(rows, (size_t)count) || !check_count(talking) ||
        !for_each(talking, add_talker, &room) || !for_each(streams, mix_one, &heard))
        return NULL;
    return Py_NewRef(Py_None);
}

PyObject *mix(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *to, *from, *talking, *streams, *result = NULL;
    Py_buffer rows, said;
    if (!PyArg_ParseTuple(args, "OOOO", &to, &from, &talking, &streams) ||
        !get_samples(to, &rows, PyBUF_WRITABLE))
        return NULL;
    if (get_samples(from, &said, 0)) {
        result = mixed(&rows, &said, talking, streams);
        PyBuffer_Release(&said);
    }
    PyBuffer_Release(&rows);
    return result;
}
