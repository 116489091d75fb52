/* The arguments of Plane's methods, checked. */
#include "plane.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

/* -- addresses, keys, codecs -- */

static int is_wildcard(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ((const struct sockaddr_in *)address)->sin_addr.s_addr == INADDR_ANY;
    return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

int get_address(const char *text, struct sockaddr_storage *address)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found;
    memset(address, 0, sizeof *address);
    if (getaddrinfo(text, NULL, &hints, &found) != 0) {
        PyErr_Format(PyExc_ValueError, "'%s' is no IP address", text);
        return 0;
    }
    memcpy(address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (!is_wildcard(address))
        return 1;
    PyErr_Format(PyExc_ValueError, "%s is a wildcard, not an address", text);
    return 0;
}

/* An array of `size` bytes for each item, or NULL with an exception. */
static void *array_for(PyObject *object, size_t size, Py_ssize_t *count)
{
    *count = PySequence_Size(object);
    if (*count < 0)
        return NULL;
    void *array = PyMem_Calloc((size_t)*count + 1, size);
    return array ? array : PyErr_NoMemory();
}

/* Reads each item of a sequence into the `count` places of `size` bytes from `each` on. */
static int get_each(PyObject *object, Py_ssize_t count, char *each, size_t size,
                    int (*get)(PyObject *item, void *place))
{
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *item = PySequence_GetItem(object, at);
        const int ok = item && get(item, each + (size_t)at * size);
        Py_XDECREF(item);
        if (!ok)
            return 0;
    }
    return 1;
}

/* A whole sequence in memory of its own, or NULL with an exception. */
static void *get_all(PyObject *object, size_t size, size_t *count,
                     int (*get)(PyObject *item, void *place))
{
    Py_ssize_t length;
    void *array = array_for(object, size, &length);
    if (array && !get_each(object, length, array, size, get)) {
        PyMem_Free(array);
        return NULL;
    }
    *count = array ? (size_t)length : 0;
    return array;
}

static int address_item(PyObject *item, void *place)
{
    PyObject *text = PyUnicode_AsUTF8String(item);
    const int ok = text && get_address(PyBytes_AsString(text), place);
    Py_XDECREF(text);
    return ok;
}

int get_addresses(PyObject *object, struct mcu_plane_options *options)
{
    options->addresses = get_all(object, sizeof(struct sockaddr_storage),
                                 &options->address_count, address_item);
    if (options->addresses && options->address_count)
        return 1;
    if (options->addresses) {
        PyMem_Free((void *)(uintptr_t)options->addresses);
        PyErr_SetString(PyExc_ValueError, "a plane needs an address");
    }
    return 0;
}

/* The place of a name among `count`; -1 with a ValueError. */
static int name_among(const char *what, const char *name, const char *const names[], int count)
{
    for (int at = 0; at < count; at++)
        if (strcmp(name, names[at]) == 0)
            return at;
    PyErr_Format(PyExc_ValueError, "%s '%s' is not known", what, name);
    return -1;
}

int get_profile(const char *name, enum mcu_srtp_profile *profile)
{
    static const char *const names[MCU_SRTP_PROFILES] = {
        [MCU_SRTP_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
        [MCU_SRTP_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
        [MCU_SRTP_AES256_CM_SHA1_80] = "AES256_CM_SHA1_80",
        [MCU_SRTP_AES128_CM_SHA1_80] = "AES128_CM_SHA1_80",
    };
    const int found = name_among("profile", name, names, MCU_SRTP_PROFILES);
    *profile = (enum mcu_srtp_profile)found;
    return found >= 0;
}

int check_key(const char *name, const Py_buffer *key, enum mcu_srtp_profile profile)
{
    const size_t size = mcu_srtp_key_size(profile);
    if ((size_t)key->len == size)
        return 1;
    PyErr_Format(PyExc_ValueError, "%s is %zd bytes, but the profile needs %zu", name,
                 key->len, size);
    return 0;
}

int get_picture_codec(const char *name, bool *h264)
{
    static const char *const names[] = {"VP8", "H264"};
    const int found = name_among("codec", name, names, 2);
    *h264 = found == 1;
    return found >= 0;
}

/* -- handles -- */

static int handle_item(PyObject *item, void *place)
{
    const long value = PyLong_AsLong(item);
    if (!parsed(value != -1 || !PyErr_Occurred()) ||
        !check_number("a handle", value, -1, INT32_MAX))
        return 0;
    *(int *)place = (int)value;
    return 1;
}

int get_handles(PyObject *object, int **handles, size_t *count)
{
    *handles = get_all(object, sizeof **handles, count, handle_item);
    return *handles != NULL;
}

static int route_item(PyObject *item, void *place)
{
    struct mcu_route *route = place;
    PyObject *leg = PySequence_GetItem(item, 0);
    PyObject *sound = leg ? PySequence_GetItem(item, 1) : NULL;
    const int ok = sound && handle_item(leg, &route->leg) && handle_item(sound, &route->sound);
    Py_XDECREF(sound);
    Py_XDECREF(leg);
    return ok;
}

int get_routes(PyObject *object, struct mcu_route **routes, size_t *count)
{
    *routes = get_all(object, sizeof **routes, count, route_item);
    return *routes != NULL;
}

/* -- streams -- */

static const char *const audio_codecs[MCU_AUDIO_CODECS] = {
    [MCU_OPUS] = "opus", [MCU_G722] = "G722", [MCU_PCMA] = "PCMA", [MCU_PCMU] = "PCMU"};
static const char *const video_codecs[] = {
    [MCU_VP8] = "VP8", [MCU_H264] = "H264", [MCU_H264_MODE0] = "H264/0"};

struct named_format {
    int type, rtx;
    char codec[8];
};

static int format_item(PyObject *item, void *place)
{
    struct named_format *format = place;
    const char *codec;
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "a format must be (payload type, codec, RTX type)");
        return 0;
    }
    if (!parsed(PyArg_ParseTuple(item, "isi", &format->type, &codec, &format->rtx)) ||
        !check_range("payload type", format->type, 0, 127) ||
        !check_range("RTX payload type", format->rtx, 0, 127))
        return 0;
    strncpy(format->codec, codec, sizeof format->codec - 1);
    return 1;
}

static int set_format(struct mcu_stream_options *stream, const struct named_format *named)
{
    const int codec = stream->source == MCU_AUDIO
                          ? name_among("codec", named->codec, audio_codecs, MCU_AUDIO_CODECS)
                          : name_among("codec", named->codec, video_codecs,
                                       (int)(sizeof video_codecs / sizeof video_codecs[0]));
    stream->formats[stream->format_count++] = (struct mcu_format){
        .payload_type = (uint8_t)named->type, .codec = codec, .rtx = (uint8_t)named->rtx};
    return codec >= 0;
}

/* At most `most` items, and at least `least`. */
static int check_count(const char *name, PyObject *object, Py_ssize_t least, Py_ssize_t most)
{
    const Py_ssize_t count = object ? PySequence_Size(object) : 0;
    if (count < 0)
        return 0;
    if (count >= least && count <= most)
        return 1;
    PyErr_Format(PyExc_ValueError, "%s has %zd items, but must have %zd to %zd", name, count,
                 least, most);
    return 0;
}

static int set_formats(struct mcu_stream_options *stream, PyObject *object)
{
    struct named_format named[sizeof stream->formats / sizeof stream->formats[0]] = {0};
    const Py_ssize_t most = (Py_ssize_t)(sizeof named / sizeof named[0]);
    if (!object)
        PyErr_SetString(PyExc_TypeError, "formats is missing");
    if (!object || !check_count("formats", object, 1, most))
        return 0;
    const Py_ssize_t count = PySequence_Size(object);
    if (!get_each(object, count, (char *)named, sizeof named[0], format_item))
        return 0;
    for (Py_ssize_t at = 0; at < count; at++)
        if (!set_format(stream, &named[at]))
            return 0;
    return 1;
}

static int ssrc_item(PyObject *item, void *place)
{
    const long long value = PyLong_AsLongLong(item);
    if (!parsed(value != -1 || !PyErr_Occurred()) ||
        !check_number("ssrc", value, 0, UINT32_MAX))
        return 0;
    *(uint32_t *)place = (uint32_t)value;
    return 1;
}

static int set_ssrcs(struct mcu_stream_options *stream, PyObject *object)
{
    const Py_ssize_t most = (Py_ssize_t)(sizeof stream->ssrcs / sizeof stream->ssrcs[0]);
    if (!object)
        return 1;
    if (!check_count("ssrcs", object, 0, most))
        return 0;
    stream->ssrc_count = (size_t)PySequence_Size(object);
    return get_each(object, (Py_ssize_t)stream->ssrc_count, (char *)stream->ssrcs,
                    sizeof stream->ssrcs[0], ssrc_item);
}

static int set_extension(struct mcu_rtp_extensions *extensions, PyObject *item)
{
    static const char *const names[] = {"mid",   "rid",       "repaired",
                                        "level", "send_time", "sequence"};
    uint8_t *const ids[] = {&extensions->mid,   &extensions->rid,       &extensions->repaired,
                            &extensions->level, &extensions->send_time, &extensions->sequence};
    const char *name;
    int id;
    if (!parsed(PyArg_ParseTuple(item, "si", &name, &id)))
        return 0;
    const int at = name_among("extension", name, names, 6);
    if (at < 0 || !check_range("extension id", id, 1, 255))
        return 0;
    *ids[at] = (uint8_t)id;
    return 1;
}

static int extension_item(PyObject *item, void *extensions)
{
    return set_extension(extensions, item);
}

static int set_extensions(struct mcu_stream_options *stream, PyObject *object)
{
    if (!object)
        return 1;
    PyObject *items = PyMapping_Items(object);
    const int ok = items && get_each(items, PySequence_Size(items),
                                     (char *)&stream->extensions, 0, extension_item);
    Py_XDECREF(items);
    return ok;
}

static int set_text(const char *name, const char *text, char *place, size_t room)
{
    const size_t size = strlen(text);
    if (size >= room) {
        PyErr_Format(PyExc_ValueError, "%s is %zu bytes, but must be %zu at most", name, size,
                     room - 1);
        return 0;
    }
    memcpy(place, text, size + 1);
    return 1;
}

static int rid_item(PyObject *item, void *place)
{
    PyObject *text = PyUnicode_AsUTF8String(item);
    const int ok = text && set_text("a rid", PyBytes_AsString(text), place,
                                    sizeof(char[MCU_MID_MAX + 1]));
    Py_XDECREF(text);
    return ok;
}

static int set_rids(struct mcu_stream_options *stream, PyObject *object)
{
    if (!object)
        return 1;
    if (!check_count("rids", object, 0, MCU_LAYERS))
        return 0;
    stream->rid_count = (size_t)PySequence_Size(object);
    return get_each(object, (Py_ssize_t)stream->rid_count, (char *)stream->rids,
                    sizeof stream->rids[0], rid_item);
}

/* What is a number or a string among the arguments of `add_stream`. */
struct stream_arguments {
    int source, dtmf, tones, sends, receives, nack, pli, fir, tmmbr;
    long long ssrc, rtx_ssrc, pixels_max;
    const char *mid, *cname;
    PyObject *formats, *ssrcs, *extensions, *rids;
};

static int parse_stream(PyObject *args, PyObject *keywords, int *leg,
                        struct stream_arguments *a)
{
    static char *names[] = {"leg",        "source",     "formats", "mid",      "dtmf",
                            "ssrcs",      "extensions", "sends",   "receives", "nack",
                            "pli",        "fir",        "ssrc",    "rtx_ssrc", "cname",
                            "pixels_max", "rids",       "tmmbr",   "tones",    NULL};
    *a = (struct stream_arguments){
        .sends = 1, .receives = 1, .mid = "", .cname = "", .pixels_max = 16777216};
    return parsed(PyArg_ParseTupleAndKeywords(
               args, keywords, "ii|$OsiOOpppppLLsLOpp", names, leg, &a->source, &a->formats,
               &a->mid, &a->dtmf, &a->ssrcs, &a->extensions, &a->sends, &a->receives, &a->nack,
               &a->pli, &a->fir, &a->ssrc, &a->rtx_ssrc, &a->cname, &a->pixels_max, &a->rids,
               &a->tmmbr, &a->tones)) &&
           check_range("source", a->source, 0, MCU_SOURCES - 1) &&
           check_range("dtmf", a->dtmf, 0, 127) &&
           check_number("ssrc", a->ssrc, 0, UINT32_MAX) &&
           check_number("rtx_ssrc", a->rtx_ssrc, 0, UINT32_MAX) &&
           check_number("pixels_max", a->pixels_max, 1, UINT32_MAX);
}

int get_stream(PyObject *args, PyObject *keywords, int *leg, struct mcu_stream_options *stream)
{
    struct stream_arguments a;
    if (!parse_stream(args, keywords, leg, &a))
        return 0;
    *stream = (struct mcu_stream_options){.source = (enum mcu_source)a.source,
                                          .dtmf = (uint8_t)a.dtmf,
                                          .tones = a.tones != 0,
                                          .sends = a.sends != 0,
                                          .receives = a.receives != 0,
                                          .nack = a.nack != 0,
                                          .pli = a.pli != 0,
                                          .fir = a.fir != 0,
                                          .tmmbr = a.tmmbr != 0,
                                          .ssrc = (uint32_t)a.ssrc,
                                          .rtx_ssrc = (uint32_t)a.rtx_ssrc,
                                          .pixels_max = (uint32_t)a.pixels_max};
    return set_formats(stream, a.formats) && set_ssrcs(stream, a.ssrcs) &&
           set_extensions(stream, a.extensions) && set_rids(stream, a.rids) &&
           set_text("mid", a.mid, stream->mid, sizeof stream->mid) &&
           set_text("cname", a.cname, stream->cname, sizeof stream->cname);
}
