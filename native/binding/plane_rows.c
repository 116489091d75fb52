/* Plane.talkers, and the memory of its samples: rows of int16 that nobody writes to. */
#include "plane.h"

#include <stdlib.h>

/* Exports its memory as a buffer of `shape` int16. Python code sees it as a memoryview. */
struct rows_object {
    PyObject head;
    int16_t *samples;
    Py_ssize_t shape[2], strides[2];
};

static int rows_buffer(PyObject *object, Py_buffer *view, int flags)
{
    struct rows_object *self = (struct rows_object *)object;
    if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "the samples are read-only");
        view->obj = NULL;
        return -1;
    }
    *view = (Py_buffer){.buf = self->samples,
                        .obj = Py_NewRef(object),
                        .len = self->shape[0] * self->strides[0],
                        .itemsize = sizeof(int16_t),
                        .readonly = 1,
                        .ndim = 2,
                        .format = "h",
                        .shape = self->shape,
                        .strides = self->strides};
    return 0;
}

static void rows_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = __extension__(freefunc) PyType_GetSlot(type, Py_tp_free);
    free(((struct rows_object *)object)->samples);
    release(object);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, __extension__(void *) rows_dealloc},
    {Py_bf_getbuffer, __extension__(void *) rows_buffer},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "mcu.media._native.Rows",
    .basicsize = sizeof(struct rows_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int add_rows_type(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    state->rows_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->rows_type ? 0 : -1;
}

/* A memoryview of rows whose memory it takes over. */
static PyObject *view_of(PyTypeObject *type, int16_t *samples, size_t rows)
{
    allocfunc allocate = __extension__(allocfunc) PyType_GetSlot(type, Py_tp_alloc);
    struct rows_object *self = (struct rows_object *)allocate(type, 0);
    if (!self) {
        free(samples);
        return NULL;
    }
    self->samples = samples;
    self->shape[0] = (Py_ssize_t)rows;
    self->shape[1] = MCU_TICK;
    self->strides[0] = MCU_TICK * sizeof(int16_t);
    self->strides[1] = sizeof(int16_t);
    PyObject *view = PyMemoryView_FromObject((PyObject *)self);
    Py_DECREF(self);
    return view;
}

/* -- who talks -- */

struct found {
    struct mcu_talker *talkers;
    int16_t *samples;
    size_t count;
};

static void forget(struct found *found)
{
    free(found->talkers);
    free(found->samples);
}

/* Without the GIL. -1: no memory. */
static int find_talkers(struct mcu_plane *plane, struct found *found)
{
    size_t room = 1;
    for (;;) {
        found->talkers = malloc(room * sizeof *found->talkers);
        found->samples = malloc(room * MCU_TICK * sizeof *found->samples);
        if (!found->talkers || !found->samples)
            return -1;
        found->count = mcu_plane_talkers(plane, found->talkers, found->samples, room);
        if (found->count <= room)
            return 0;
        room = found->count;
        forget(found);
    }
}

static PyObject *talker_list(PyObject *type, const struct found *found)
{
    PyObject *list = PyList_New((Py_ssize_t)found->count);
    for (size_t at = 0; list && at < found->count; at++) {
        const struct mcu_talker *talker = &found->talkers[at];
        PyObject *item =
            named(type, Py_BuildValue("iii", talker->room, talker->leg, talker->level));
        if (!item || PyList_SetItem(list, (Py_ssize_t)at, item) != 0)
            Py_CLEAR(list);
    }
    return list;
}

PyObject *plane_talkers(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    const struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
    struct found found = {0};
    PyThreadState *thread;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int failed = find_talkers(plane, &found);
    release_plane(self, thread);
    PyObject *list = failed ? PyErr_NoMemory() : talker_list(state->talker_type, &found);
    if (!list) {
        forget(&found);
        return NULL;
    }
    free(found.talkers);
    PyObject *view = view_of(state->rows_type, found.samples, found.count);
    PyObject *both = view ? PyTuple_Pack(2, list, view) : NULL;
    Py_XDECREF(view);
    Py_DECREF(list);
    return both;
}
