/* The class Plane: what a worker's Python tells its media plane. Every method checks its
 * arguments, drops the GIL and calls one function of plane.h.
 *
 * A method may run while another thread closes the plane: the lock has the callers as its
 * readers and `close` as its writer, and is never waited for with the GIL held. */
#include "plane.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct plane_object {
    PyObject head;
    pthread_rwlock_t lock;
    struct mcu_plane *plane; /* NULL: closed */
};

struct mcu_plane *hold_plane(PyObject *object, PyThreadState **thread)
{
    struct plane_object *self = (struct plane_object *)object;
    *thread = PyEval_SaveThread();
    pthread_rwlock_rdlock(&self->lock);
    struct mcu_plane *plane = self->plane;
    if (plane)
        return plane;
    release_plane(object, *thread);
    PyErr_SetString(PyExc_ValueError, "the plane is closed");
    return NULL;
}

void release_plane(PyObject *object, PyThreadState *thread)
{
    const int why = errno;
    pthread_rwlock_unlock(&((struct plane_object *)object)->lock);
    PyEval_RestoreThread(thread);
    errno = why;
}

PyObject *refused(void)
{
    switch (errno) {
    case ENOENT:
        PyErr_SetString(PyExc_LookupError, "there is no such leg, room, sound or stream");
        return NULL;
    case EAGAIN:
        PyErr_SetString(PyExc_OverflowError, "the sound thread is too far behind");
        return NULL;
    case EEXIST:
        PyErr_SetString(PyExc_ValueError, "there is one already");
        return NULL;
    case EINVAL:
        PyErr_SetString(PyExc_ValueError, "the plane refuses an argument");
        return NULL;
    case ENOMEM:
        return PyErr_NoMemory();
    default:
        return PyErr_SetFromErrno(PyExc_OSError);
    }
}

PyObject *done(int result) { return result < 0 ? refused() : Py_NewRef(Py_None); }

PyObject *number(int result) { return result < 0 ? refused() : PyLong_FromLong(result); }

PyObject *with_int(PyObject *self, PyObject *args,
                   int (*call)(struct mcu_plane *plane, int value),
                   PyObject *(*answer)(int result))
{
    int value;
    PyThreadState *thread;
    struct mcu_plane *plane =
        parsed(PyArg_ParseTuple(args, "i", &value)) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int result = call(plane, value);
    release_plane(self, thread);
    return answer(result);
}

/* -- its life -- */

static void free_options(struct mcu_plane_options *options)
{
    PyMem_Free((void *)(uintptr_t)options->addresses);
}

static int get_options(PyObject *args, PyObject *keywords, struct mcu_plane_options *options)
{
    static char *names[] = {"addresses",    "port",       "tcp_port",
                            "ports",        "complexity", "bits_per_second",
                            "loss_percent", "silent_s",   NULL};
    PyObject *addresses;
    int port = 0, tcp_port = 0, first = 0, last = 0, silent_s = 30;
    *options = (struct mcu_plane_options){
        .complexity = 5, .bits_per_second = 48000, .loss_percent = 10};
    if (!parsed(PyArg_ParseTupleAndKeywords(args, keywords, "O|$ii(ii)iiii", names, &addresses,
                                            &port, &tcp_port, &first, &last,
                                            &options->complexity, &options->bits_per_second,
                                            &options->loss_percent, &silent_s)) ||
        !check_range("port", port, 0, UINT16_MAX) ||
        !check_range("tcp_port", tcp_port, 0, UINT16_MAX) ||
        !check_range("first of ports", first, 0, UINT16_MAX) ||
        !check_range("last of ports", last, 0, UINT16_MAX) ||
        !check_range("complexity", options->complexity, 0, 10) ||
        !check_range("bits_per_second", options->bits_per_second, 6000, 510000) ||
        !check_range("loss_percent", options->loss_percent, 0, 100) ||
        !check_range("silent_s", silent_s, 1, 86400))
        return 0;
    options->rtp_silent_us = silent_s * INT64_C(1000000);
    if (first > last || (first == 0) != (last == 0)) {
        PyErr_SetString(PyExc_ValueError, "ports must be (first, last), or (0, 0) for none");
        return 0;
    }
    options->port = (uint16_t)port;
    options->tcp_port = (uint16_t)tcp_port;
    options->range_first = (uint16_t)first;
    options->range_last = (uint16_t)last;
    return get_addresses(addresses, options);
}

static struct mcu_plane *open_plane(const struct mcu_plane_options *options)
{
    struct mcu_plane *plane;
    Py_BEGIN_ALLOW_THREADS
    plane = mcu_plane_new(options);
    Py_END_ALLOW_THREADS
    if (!plane)
        refused();
    return plane;
}

static PyObject *plane_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    struct mcu_plane_options options;
    if (!get_options(args, keywords, &options))
        return NULL;
    allocfunc allocate = __extension__(allocfunc) PyType_GetSlot(type, Py_tp_alloc);
    struct plane_object *self = (struct plane_object *)allocate(type, 0);
    if (self && pthread_rwlock_init(&self->lock, NULL) == 0)
        self->plane = open_plane(&options);
    free_options(&options);
    if (self && !self->plane)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* Waits for the callers that are inside. Without the GIL, which they may need. */
static void end_plane(struct plane_object *self)
{
    pthread_rwlock_wrlock(&self->lock);
    struct mcu_plane *plane = self->plane;
    self->plane = NULL;
    pthread_rwlock_unlock(&self->lock);
    if (plane)
        mcu_plane_free(plane);
}

static void plane_dealloc(PyObject *object)
{
    struct plane_object *self = (struct plane_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = __extension__(freefunc) PyType_GetSlot(type, Py_tp_free);
    Py_BEGIN_ALLOW_THREADS
    end_plane(self);
    pthread_rwlock_destroy(&self->lock);
    Py_END_ALLOW_THREADS
    release(object);
    Py_DECREF(type);
}

static PyObject *plane_close(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    Py_BEGIN_ALLOW_THREADS
    end_plane((struct plane_object *)self);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

/* A port of the plane's, by the function that tells it. */
static PyObject *port_by(PyObject *self, uint16_t (*tell)(const struct mcu_plane *plane))
{
    PyThreadState *thread;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const uint16_t port = tell(plane);
    release_plane(self, thread);
    return PyLong_FromLong(port);
}

static PyObject *get_plane_port(PyObject *self, void *Py_UNUSED(closure))
{
    return port_by(self, mcu_plane_port);
}

static PyObject *get_plane_tcp_port(PyObject *self, void *Py_UNUSED(closure))
{
    return port_by(self, mcu_plane_tcp_port);
}

static PyObject *plane_fileno(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    PyThreadState *thread;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int fd = mcu_plane_fd(plane);
    release_plane(self, thread);
    return PyLong_FromLong(fd);
}

/* -- the class -- */

#define METHOD(name, flags, doc)                                                              \
    {                                                                                         \
#name, plane_##name, flags, doc                                                       \
    }

static PyMethodDef methods[] = {
    METHOD(close, METH_NOARGS, "close($self, /)\n--\n\nEnds the threads and the sockets."),
    METHOD(fileno, METH_NOARGS, "fileno($self, /)\n--\n\nReadable while events wait."),
    METHOD(events, METH_NOARGS,
           "events($self, /)\n--\n\nWhat happened since the last call, oldest first."),
    METHOD(add_webrtc, METH_VARARGS,
           "add_webrtc($self, ufrag, password, remote_ufrag, /)\n--\n\nA browser's leg on the "
           "one port; returns its handle."),
    METHOD(restart_ice, METH_VARARGS,
           "restart_ice($self, leg, ufrag, password, remote_ufrag, /)\n--\n\nNew credentials; "
           "the old ones end when a check proves the new."),
    METHOD(add_rtp, METH_VARARGS,
           "add_rtp($self, ipv6=False, /)\n--\n\nA leg with ports of its own: (leg, RTP port, "
           "RTCP port)."),
    METHOD(add_relay, METH_VARARGS,
           "add_relay($self, one, other, opened=False, /)\n--\n\nTwo legs, each of which "
           "sends on what comes to the other: (leg, RTP port, RTCP port) of both."),
    METHOD(set_remote, METH_VARARGS,
           "set_remote($self, leg, address, port, rtcp_port=None, /)\n--\n\nWhere the packets "
           "of an RTP leg go and come from."),
    METHOD(set_keys, METH_VARARGS,
           "set_keys($self, leg, profile, sending, receiving, rtcp=False, /)\n--\n\nSRTP keys "
           "of both directions: master key, then salt."),
    METHOD(use_ice, METH_VARARGS,
           "use_ice($self, leg, muxed, ufrag, password, remote_ufrag, /)\n--\n\nWhere it is, "
           "checks say."),
    METHOD(require_keys, METH_VARARGS,
           "require_keys($self, leg, /)\n--\n\nNothing of it passes in the clear."),
    METHOD(remove, METH_VARARGS, "remove($self, leg, /)\n--\n\nThe leg is gone."),
    {"add_stream", __extension__(PyCFunction)(void *) plane_add_stream,
     METH_VARARGS | METH_KEYWORDS,
     "add_stream($self, leg, source, *, formats, mid='', dtmf=0, ssrcs=(), extensions={}, "
     "sends=True, receives=True, nack=False, pli=False, fir=False, ssrc=0, rtx_ssrc=0, "
     "cname='', pixels_max=16777216, rids=(), tmmbr=False, tones=False)\n--\n\nAdds one of a "
     "leg's streams, before its keys or its remote address."},
    METHOD(send_dtls, METH_VARARGS,
           "send_dtls($self, leg, data, rtcp=False, /)\n--\n\nSends a datagram."),
    METHOD(answer_greeting, METH_VARARGS,
           "answer_greeting($self, leg, rtcp, number, data, /)\n--\n\nSends a datagram to "
           "where DTLS of that number came from."),
    METHOD(believe, METH_VARARGS,
           "believe($self, leg, rtcp, number, /)\n--\n\nThe leg is where DTLS of that "
           "number came from."),
    METHOD(send_picture, METH_VARARGS,
           "send_picture($self, legs, source, codec, data, timestamp, key, /)\n--\n\nOne "
           "picture to many legs; how many were sent it whole."),
    METHOD(choose, METH_VARARGS,
           "choose($self, leg, source, layer, thin=False, /)\n--\n\nWhich layer's pictures "
           "are handed out; -1: none."),
    METHOD(want_key, METH_VARARGS,
           "want_key($self, leg, source, /)\n--\n\nAsks the leg for a key frame."),
    METHOD(
        aim, METH_VARARGS,
        "aim($self, leg, bits_per_second, /)\n--\n\nThere is use for this much in all on the "
        "leg's line; 0: for no more than there is."),
    METHOD(
        hold, METH_VARARGS,
        "hold($self, leg, held, /)\n--\n\nThe leg, which has ports of its own, is on hold or "
        "not."),
    METHOD(limit, METH_VARARGS,
           "limit($self, leg, bits_per_second, /)\n--\n\nAsks the leg for no more than this "
           "in all; 0: no limit."),
    METHOD(add_room, METH_VARARGS,
           "add_room($self, loudest, /)\n--\n\nA room: so many legs are decoded at a time."),
    METHOD(remove_room, METH_VARARGS,
           "remove_room($self, room, /)\n--\n\nNobody is heard in it any more."),
    METHOD(hear, METH_VARARGS,
           "hear($self, leg, room, /)\n--\n\nIn which room a leg may be heard; 0: in none."),
    METHOD(add_sound, METH_VARARGS,
           "add_sound($self, primed, /)\n--\n\nA stream of sound that legs are routed to."),
    METHOD(remove_sound, METH_VARARGS,
           "remove_sound($self, sound, /)\n--\n\nMixes given before are still sent."),
    METHOD(collect, METH_VARARGS,
           "collect($self, tick, at, /)\n--\n\nStep one of a tick, not before `at`; the event "
           "COLLECTED follows."),
    METHOD(talkers, METH_NOARGS,
           "talkers($self, /)\n--\n\nWho was decoded in the last collected tick, and a row of "
           "samples for each."),
    METHOD(send, METH_VARARGS,
           "send($self, tick, sounds, samples, routes, /)\n--\n\nStep two of a tick: mixes, "
           "and routes that change."),
    METHOD(skip, METH_VARARGS, "skip($self, tick, /)\n--\n\nA tick that is let go."),
    METHOD(sent_sequence, METH_VARARGS,
           "sent_sequence($self, leg, /)\n--\n\nExtended, of the last packet of sound; -1: "
           "none yet."),
    METHOD(leg_stats, METH_VARARGS,
           "leg_stats($self, leg, /)\n--\n\nThe fields of struct mcu_leg_stats."),
    METHOD(leg_traffic, METH_VARARGS,
           "leg_traffic($self, leg, /)\n--\n\nThe fields of struct mcu_leg_traffic."),
    METHOD(stats, METH_NOARGS, "stats($self, /)\n--\n\nThe fields of struct mcu_plane_stats."),
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"port", get_plane_port, NULL, "of the one UDP port", NULL},
    {"tcp_port", get_plane_tcp_port, NULL, "of the one TCP port; 0: there is none", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, __extension__(void *) plane_new},
    {Py_tp_dealloc, __extension__(void *) plane_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_doc, "Plane(addresses, *, port=0, tcp_port=0, ports=(0, 0), complexity=5, "
                "bits_per_second=48000, loss_percent=10, silent_s=30)\n--\n\nThe sockets, "
                "legs and threads of a worker."},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "mcu.media._native.Plane",
    .basicsize = sizeof(struct plane_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int add_plane_type(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    state->plane_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->plane_type ? PyModule_AddType(module, state->plane_type) : -1;
}
