/* What the plane counts: Plane.leg_stats and Plane.stats as dicts, Plane.leg_traffic, which is
 * asked for often, as a tuple. */
#include "plane.h"

/* Puts a value in a dict, and takes it over. */
static int put(PyObject *dict, const char *name, PyObject *value)
{
    const int ok = value && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
    return ok;
}

static int put_count(PyObject *dict, const char *name, uint64_t value)
{
    return put(dict, name, PyLong_FromUnsignedLongLong(value));
}

static int put_double(PyObject *dict, const char *name, double value)
{
    return put(dict, name, PyFloat_FromDouble(value));
}

static PyObject *drops_dict(const uint64_t *drops)
{
    PyObject *dict = PyDict_New();
    for (int why = 0; dict && why < MCU_DROPS; why++)
        if (!put_count(dict, mcu_drop_name((enum mcu_drop)why), drops[why]))
            Py_CLEAR(dict);
    return dict;
}

static int fill_stream(PyObject *dict, const struct mcu_stream_stats *stream)
{
    return put_count(dict, "source", stream->source) &&
           put(dict, "sending", PyBool_FromLong(stream->sending)) &&
           put(dict, "layer", PyLong_FromLong(stream->layer)) &&
           put(dict, "chosen", PyBool_FromLong(stream->chosen)) &&
           put(dict, "codec", PyLong_FromLong(stream->codec)) &&
           put_count(dict, "packets", stream->packets) &&
           put_count(dict, "bytes", stream->bytes) &&
           put(dict, "lost", PyLong_FromLongLong(stream->lost)) &&
           put_double(dict, "loss", stream->loss) &&
           put_double(dict, "jitter_ms", stream->jitter_ms) &&
           put_count(dict, "width", stream->width) &&
           put_count(dict, "height", stream->height) &&
           put_count(dict, "frames", stream->frames) &&
           put_count(dict, "bits_per_second", stream->bits_per_second) &&
           put_double(dict, "frame_rate", stream->frame_rate) &&
           put_count(dict, "nacks", stream->nacks) &&
           put_count(dict, "resent", stream->resent) &&
           put_count(dict, "keys_asked", stream->keys_asked) &&
           put_count(dict, "concealed_ms", stream->concealed_ms) &&
           put_count(dict, "recovered_ms", stream->recovered_ms) &&
           put_count(dict, "delay_ms", stream->delay_ms);
}

static PyObject *stream_list(const struct mcu_leg_stats *stats)
{
    PyObject *list = PyList_New(0);
    for (size_t at = 0; list && at < stats->stream_count; at++) {
        PyObject *dict = PyDict_New();
        if (!dict || !fill_stream(dict, &stats->streams[at]) || PyList_Append(list, dict) != 0)
            Py_CLEAR(list);
        Py_XDECREF(dict);
    }
    return list;
}

static PyObject *line_dict(const struct mcu_line *line)
{
    PyObject *dict = PyDict_New();
    if (dict && !(put_count(dict, "bits_per_second", line->bits_per_second) &&
                  put_count(dict, "pictures", line->pictures) &&
                  put_double(dict, "loss", line->loss) &&
                  put_double(dict, "rtt_ms", line->rtt < 0 ? -1 : (double)line->rtt / 1000) &&
                  put_count(dict, "state", line->state)))
        Py_CLEAR(dict);
    return dict;
}

PyObject *plane_leg_stats(PyObject *self, PyObject *args)
{
    int leg;
    struct mcu_leg_stats stats;
    PyThreadState *thread;
    struct mcu_plane *plane =
        parsed(PyArg_ParseTuple(args, "i", &leg)) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int result = mcu_plane_leg_stats(plane, leg, &stats);
    release_plane(self, thread);
    if (result < 0)
        return refused();
    PyObject *dict = PyDict_New();
    if (dict && !(put_double(dict, "rtt_ms", stats.rtt_ms) &&
                  put(dict, "line", line_dict(&stats.line)) &&
                  put(dict, "streams", stream_list(&stats)) &&
                  put(dict, "drops", drops_dict(stats.drops))))
        Py_CLEAR(dict);
    return dict;
}

PyObject *plane_leg_traffic(PyObject *self, PyObject *args)
{
    int leg;
    struct mcu_leg_traffic traffic;
    PyThreadState *thread;
    struct mcu_plane *plane =
        parsed(PyArg_ParseTuple(args, "i", &leg)) ? hold_plane(self, &thread) : NULL;
    if (!plane)
        return NULL;
    const int result = mcu_plane_leg_traffic(plane, leg, &traffic);
    release_plane(self, thread);
    if (result < 0)
        return refused();
    return Py_BuildValue("KLKKKLdKN", traffic.received, traffic.lost, traffic.spoken,
                         traffic.made_up_ms, traffic.sent, traffic.unreceived, traffic.rtt_ms,
                         traffic.bits_per_second, PyBool_FromLong(traffic.silent));
}

PyObject *plane_stats(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    struct mcu_plane_stats stats;
    PyThreadState *thread;
    struct mcu_plane *plane = hold_plane(self, &thread);
    if (!plane)
        return NULL;
    mcu_plane_stats(plane, &stats);
    release_plane(self, thread);
    PyObject *dict = PyDict_New();
    if (dict &&
        !(put_count(dict, "packets_in", stats.packets_in) &&
          put_count(dict, "packets_out", stats.packets_out) &&
          put_count(dict, "bytes_in", stats.bytes_in) &&
          put_count(dict, "bytes_out", stats.bytes_out) &&
          put_count(dict, "receive_calls", stats.receive_calls) &&
          put_count(dict, "send_calls", stats.send_calls) &&
          put_count(dict, "audio_encodes", stats.audio_encodes) &&
          put_count(dict, "audio_decodes", stats.audio_decodes) &&
          put_double(dict, "audio_coding_seconds", stats.audio_coding_seconds) &&
          put_count(dict, "lost_in", stats.lost_in) &&
          put_count(dict, "lost_out", stats.lost_out) &&
          put_count(dict, "concealed_ms", stats.concealed_ms) &&
          put_count(dict, "recovered_ms", stats.recovered_ms) &&
          put_double(dict, "jitter_ms_in", stats.jitter_ms_in) &&
          put_double(dict, "jitter_ms_out", stats.jitter_ms_out) &&
          put_double(dict, "rtt_ms", stats.rtt_ms) &&
          put(dict, "drops", drops_dict(stats.drops)) && put_count(dict, "legs", stats.legs) &&
          put_count(dict, "rooms", stats.rooms)))
        Py_CLEAR(dict);
    return dict;
}
