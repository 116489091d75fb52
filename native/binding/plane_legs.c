/* The methods of Plane that are about legs and their streams. */
#include "plane.h"

PyObject *plane_add_webrtc(PyObject *self, PyObject *args)
{
    const char *ufrag, *password, *remote_ufrag;
    PyThreadState *thread;
    if (!PyArg_ParseTuple(args, "sss", &ufrag, &password, &remote_ufrag))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int leg = mcu_plane_add_webrtc(plane, ufrag, password, remote_ufrag);
    release_plane(self, thread);
    return number(leg);
}

PyObject *plane_restart_ice(PyObject *self, PyObject *args)
{
    int leg;
    const char *ufrag, *password, *remote_ufrag;
    PyThreadState *thread;
    if (!parsed(PyArg_ParseTuple(args, "isss", &leg, &ufrag, &password, &remote_ufrag)))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int result = mcu_plane_restart_ice(plane, leg, ufrag, password, remote_ufrag);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_add_rtp(PyObject *self, PyObject *args)
{
    int ipv6 = 0;
    uint16_t rtp_port, rtcp_port;
    PyThreadState *thread;
    if (!PyArg_ParseTuple(args, "|p", &ipv6))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int leg = mcu_plane_add_rtp(plane, ipv6 ? AF_INET6 : AF_INET, &rtp_port, &rtcp_port);
    release_plane(self, thread);
    return leg < 0 ? refused() : Py_BuildValue("(iHH)", leg, rtp_port, rtcp_port);
}

PyObject *plane_add_relay(PyObject *self, PyObject *args)
{
    const char *one, *other;
    int opened = 0;
    struct sockaddr_storage here, there;
    struct mcu_relay_side sides[2];
    PyThreadState *thread;
    if (!PyArg_ParseTuple(args, "ss|p", &one, &other, &opened) || !get_address(one, &here) ||
        !get_address(other, &there))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int result = mcu_plane_add_relay(plane, (const struct sockaddr *)&here,
                                           (const struct sockaddr *)&there, opened, sides);
    release_plane(self, thread);
    return result ? refused()
                  : Py_BuildValue("((iHH)(iHH))", sides[0].leg, sides[0].rtp_port,
                                  sides[0].rtcp_port, sides[1].leg, sides[1].rtp_port,
                                  sides[1].rtcp_port);
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
}

static int get_remote_port(const char *name, long value, struct sockaddr_storage *address)
{
    if (!check_number(name, value, 1, UINT16_MAX))
        return 0;
    set_port(address, (uint16_t)value);
    return 1;
}

PyObject *plane_set_remote(PyObject *self, PyObject *args)
{
    int leg, port;
    const char *text;
    PyObject *rtcp_port = Py_None;
    struct sockaddr_storage rtp, rtcp;
    PyThreadState *thread;
    if (!parsed(PyArg_ParseTuple(args, "isi|O", &leg, &text, &port, &rtcp_port)) ||
        !get_address(text, &rtp))
        return NULL;
    const int own_rtcp = rtcp_port != Py_None;
    rtcp = rtp;
    const long second = own_rtcp ? PyLong_AsLong(rtcp_port) : port;
    if (!parsed(second != -1 || !PyErr_Occurred()) || !get_remote_port("port", port, &rtp) ||
        !get_remote_port("rtcp_port", second, &rtcp))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int result = mcu_plane_set_remote(plane, leg, (const struct sockaddr *)&rtp,
                                            own_rtcp ? (const struct sockaddr *)&rtcp : NULL);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_set_keys(PyObject *self, PyObject *args)
{
    int leg, rtcp = 0, result = -1;
    const char *name;
    enum mcu_srtp_profile profile;
    Py_buffer sending, receiving;
    PyThreadState *thread;
    struct mcu_plane *plane = NULL;
    if (!parsed(PyArg_ParseTuple(args, "isy*y*|p", &leg, &name, &sending, &receiving, &rtcp)))
        return NULL;
    if (get_profile(name, &profile) && check_key("sending", &sending, profile) &&
        check_key("receiving", &receiving, profile))
        plane = hold_plane(self, &thread);
    if (plane) {
        result = (rtcp ? mcu_plane_set_rtcp_keys
                       : mcu_plane_set_keys)(plane, leg, profile, sending.buf, receiving.buf);
        release_plane(self, thread);
    }
    PyBuffer_Release(&receiving);
    PyBuffer_Release(&sending);
    return plane ? done(result) : NULL;
}

PyObject *plane_use_ice(PyObject *self, PyObject *args)
{
    int leg, muxed;
    const char *ufrag, *password, *remote_ufrag;
    PyThreadState *thread;
    if (!parsed(
            PyArg_ParseTuple(args, "ipsss", &leg, &muxed, &ufrag, &password, &remote_ufrag)))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int result =
        mcu_plane_use_ice(plane, leg, muxed != 0, ufrag, password, remote_ufrag);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_require_keys(PyObject *self, PyObject *args)
{
    return with_int(self, args, mcu_plane_require_keys, done);
}

PyObject *plane_remove(PyObject *self, PyObject *args)
{
    return with_int(self, args, mcu_plane_remove, done);
}

PyObject *plane_add_stream(PyObject *self, PyObject *args, PyObject *keywords)
{
    int leg;
    struct mcu_stream_options stream;
    PyThreadState *thread;
    struct mcu_plane *plane =
        get_stream(args, keywords, &leg, &stream) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int result = mcu_plane_add_stream(plane, leg, &stream);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_send_dtls(PyObject *self, PyObject *args)
{
    int leg, rtcp = 0, result = -1;
    Py_buffer data;
    PyThreadState *thread;
    if (!parsed(PyArg_ParseTuple(args, "iy*|p", &leg, &data, &rtcp)))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (plane) {
        result = mcu_plane_send_dtls(plane, leg, rtcp != 0, data.buf, (size_t)data.len);
        release_plane(self, thread);
    }
    PyBuffer_Release(&data);
    return plane ? done(result) : NULL;
}

PyObject *plane_answer_greeting(PyObject *self, PyObject *args)
{
    int leg, rtcp, number, result = -1;
    Py_buffer data;
    PyThreadState *thread;
    if (!parsed(PyArg_ParseTuple(args, "ipiy*", &leg, &rtcp, &number, &data)))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (plane) {
        result = mcu_plane_answer_greeting(plane, leg, rtcp != 0, number, data.buf,
                                           (size_t)data.len);
        release_plane(self, thread);
    }
    PyBuffer_Release(&data);
    return plane ? done(result) : NULL;
}

PyObject *plane_believe(PyObject *self, PyObject *args)
{
    int leg, rtcp, number;
    PyThreadState *thread;
    if (!parsed(PyArg_ParseTuple(args, "ipi", &leg, &rtcp, &number)))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int result = mcu_plane_believe(plane, leg, rtcp != 0, number);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_send_picture(PyObject *self, PyObject *args)
{
    PyObject *sequence;
    const char *codec;
    Py_buffer data;
    unsigned long long timestamp;
    int source, key, *legs, result = -1;
    size_t count;
    bool h264;
    PyThreadState *thread;
    struct mcu_plane *plane = NULL;
    if (!parsed(PyArg_ParseTuple(args, "Oisy*Kp", &sequence, &source, &codec, &data,
                                 &timestamp, &key)))
        return NULL;
    if (check_range("source", source, MCU_CAMERA, MCU_SCREEN) &&
        get_picture_codec(codec, &h264) && get_handles(sequence, &legs, &count)) {
        plane = hold_plane(self, &thread);
        if (plane) {
            result = mcu_plane_send_picture(plane, (enum mcu_source)source, legs, count, h264,
                                            data.buf, (size_t)data.len, (uint32_t)timestamp,
                                            key != 0);
            release_plane(self, thread);
        }
        PyMem_Free(legs);
    }
    PyBuffer_Release(&data);
    return plane ? number(result) : NULL;
}

PyObject *plane_choose(PyObject *self, PyObject *args)
{
    int leg, source, layer, thin = 0;
    PyThreadState *thread;
    if (!parsed(PyArg_ParseTuple(args, "iii|p", &leg, &source, &layer, &thin)) ||
        !check_range("source", source, 0, MCU_SOURCES - 1))
        return NULL;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    const int result = mcu_plane_choose(plane, leg, (enum mcu_source)source, layer, thin != 0);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_want_key(PyObject *self, PyObject *args)
{
    int leg, source;
    PyThreadState *thread;
    struct mcu_plane *plane = parsed(PyArg_ParseTuple(args, "ii", &leg, &source)) &&
                                      check_range("source", source, 0, MCU_SOURCES - 1)
                                  ? hold_plane(self, &thread)
                                  : NULL;
    if (!plane)
        return NULL;
    const int result = mcu_plane_want_key(plane, leg, (enum mcu_source)source);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_hold(PyObject *self, PyObject *args)
{
    int leg, held;
    PyThreadState *thread;
    struct mcu_plane *plane =
        parsed(PyArg_ParseTuple(args, "ip", &leg, &held)) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int result = mcu_plane_hold(plane, leg, held != 0);
    release_plane(self, thread);
    return done(result);
}

/* A method that takes a leg and bit/s. */
static PyObject *with_rate(PyObject *self, PyObject *args,
                           int (*call)(struct mcu_plane *plane, int leg, uint32_t rate))
{
    int leg;
    long long rate;
    PyThreadState *thread;
    struct mcu_plane *plane = parsed(PyArg_ParseTuple(args, "iL", &leg, &rate)) &&
                                      check_number("bits_per_second", rate, 0, UINT32_MAX)
                                  ? hold_plane(self, &thread)
                                  : NULL;
    if (!plane)
        return NULL;
    const int result = call(plane, leg, (uint32_t)rate);
    release_plane(self, thread);
    return done(result);
}

PyObject *plane_limit(PyObject *self, PyObject *args)
{
    return with_rate(self, args, mcu_plane_limit);
}

PyObject *plane_aim(PyObject *self, PyObject *args)
{
    return with_rate(self, args, mcu_plane_aim);
}
