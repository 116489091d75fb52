/* The named tuples Event and Talker, the constants, and Plane.events. */
#include "plane.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_AT_ONCE 64

/* A class as collections.namedtuple makes it, added to the module under its name. */
static PyObject *named_tuple(PyObject *module, const char *name, const char *fields,
                             const char *doc)
{
    PyObject *collections = PyImport_ImportModule("collections");
    PyObject *type = collections
                         ? PyObject_CallMethod(collections, "namedtuple", "ss", name, fields)
                         : NULL;
    PyObject *where = PyUnicode_FromString("mcu.media._native");
    PyObject *what = PyUnicode_FromString(doc);
    if (!type || !where || !what || PyObject_SetAttrString(type, "__module__", where) != 0 ||
        PyObject_SetAttrString(type, "__doc__", what) != 0 ||
        PyModule_AddObjectRef(module, name, type) != 0)
        Py_CLEAR(type);
    Py_XDECREF(what);
    Py_XDECREF(where);
    Py_XDECREF(collections);
    return type;
}

static int add_constants(PyObject *module)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {
        {"AUDIO", MCU_AUDIO},
        {"CAMERA", MCU_CAMERA},
        {"SCREEN", MCU_SCREEN},
        {"PROVED", MCU_EVENT_PROVED},
        {"MOVED", MCU_EVENT_MOVED},
        {"SILENT", MCU_EVENT_SILENT},
        {"DTLS", MCU_EVENT_DTLS},
        {"PICTURE", MCU_EVENT_PICTURE},
        {"KEY_WANTED", MCU_EVENT_KEY_WANTED},
        {"BANDWIDTH", MCU_EVENT_BANDWIDTH},
        {"REPORT", MCU_EVENT_REPORT},
        {"LOSS", MCU_EVENT_LOSS},
        {"DIGIT", MCU_EVENT_DIGIT},
        {"BYE", MCU_EVENT_BYE},
        {"UNSENT", MCU_EVENT_UNSENT},
        {"LAYER", MCU_EVENT_LAYER},
        {"KEY_UNASKED", MCU_EVENT_KEY_UNASKED},
        {"COLLECTED", MCU_EVENT_COLLECTED},
    };
    for (size_t at = 0; at < sizeof constants / sizeof constants[0]; at++)
        if (PyModule_AddIntConstant(module, constants[at].name, constants[at].value) != 0)
            return -1;
    return 0;
}

int add_event_types(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    state->event_type = named_tuple(module, "Event", "kind leg a b c width height key data",
                                    "What the plane has to say.");
    state->talker_type = state->event_type ? named_tuple(module, "Talker", "room leg level",
                                                         "Who was decoded in a tick.")
                                           : NULL;
    return state->talker_type ? add_constants(module) : -1;
}

/* -- events -- */

static size_t take_events(struct mcu_plane *plane, struct mcu_event *events)
{
    size_t count = 0;
    while (count < EVENTS_AT_ONCE && mcu_plane_event(plane, &events[count]))
        count++;
    return count;
}

PyObject *named(PyObject *type, PyObject *values)
{
    void *const slot = PyType_GetSlot(&PyTuple_Type, Py_tp_new);
    newfunc make;
    memcpy(&make, &slot, sizeof make); /* ISO C does not convert these */
    PyObject *arguments = values ? PyTuple_Pack(1, values) : NULL;
    PyObject *made = arguments ? make((PyTypeObject *)type, arguments, NULL) : NULL;
    Py_XDECREF(arguments);
    Py_XDECREF(values);
    return made;
}

static PyObject *event_object(PyObject *type, const struct mcu_event *event)
{
    return named(type, Py_BuildValue("iiLLLIINN", (int)event->kind, event->leg,
                                     (long long)event->a, (long long)event->b,
                                     (long long)event->c, (unsigned)event->width,
                                     (unsigned)event->height, PyBool_FromLong(event->key),
                                     PyBytes_FromStringAndSize((const char *)event->data,
                                                               (Py_ssize_t)event->size)));
}

/* Appends events to a list, and frees them in any case. */
static int append_events(PyObject *list, PyObject *type, struct mcu_event *events,
                         size_t count)
{
    int ok = 1;
    for (size_t at = 0; at < count; at++) {
        PyObject *event = ok ? event_object(type, &events[at]) : NULL;
        ok = event && PyList_Append(list, event) == 0;
        Py_XDECREF(event);
        free(events[at].data);
    }
    return ok;
}

PyObject *plane_events(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    const struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
    struct mcu_event events[EVENTS_AT_ONCE];
    size_t count = EVENTS_AT_ONCE;
    PyObject *list = PyList_New(0);
    while (list && count == EVENTS_AT_ONCE) {
        PyThreadState *thread;
        struct mcu_plane *plane = hold_plane(self, &thread);
        if (!plane) {
            Py_CLEAR(list);
            break;
        }
        count = take_events(plane, events);
        release_plane(self, thread);
        if (!append_events(list, state->event_type, events, count))
            Py_CLEAR(list);
    }
    return list;
}
