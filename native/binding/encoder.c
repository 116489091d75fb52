/* The class Encoder: native/include/mcu/picture_encoder.h for Python, without the GIL while it
 * encodes. */
#include "binding.h"

#include <mcu/picture_encoder.h>

struct encoder_object {
    PyObject head;
    struct mcu_picture_encoder *encoder;
};

static PyObject *encoder_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"vp8",     "width",     "height", "fps", "bits_per_second",
                            "content", "slice_max", NULL};
    struct mcu_picture_settings settings;
    int vp8, content;
    if (!parsed(PyArg_ParseTupleAndKeywords(
            args, keywords, "piiiipi", names, &vp8, &settings.width, &settings.height,
            &settings.fps, &settings.bits_per_second, &content, &settings.slice_max)))
        return NULL;
    settings.content = content;
    allocfunc allocate = __extension__(allocfunc) PyType_GetSlot(type, Py_tp_alloc);
    struct encoder_object *self = (struct encoder_object *)allocate(type, 0);
    if (!self)
        return NULL;
    self->encoder = vp8 ? mcu_vp8_encoder_new(&settings) : mcu_h264_encoder_new(&settings);
    if (self->encoder)
        return (PyObject *)self;
    PyErr_SetString(PyExc_ValueError, "the codec does not encode this size at this rate");
    Py_DECREF(self);
    return NULL;
}

static void encoder_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = __extension__(freefunc) PyType_GetSlot(type, Py_tp_free);
    mcu_picture_encoder_free(((struct encoder_object *)object)->encoder);
    release(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(encode_doc,
             "encode($self, picture, timestamp, key, /)\n--\n\n"
             "One I420 picture: the frame and whether it is a key frame, or None.");

static PyObject *encode(PyObject *object, PyTypeObject *type, PyObject *const *args,
                        Py_ssize_t count, PyObject *names)
{
    struct mcu_picture_encoder *encoder = ((struct encoder_object *)object)->encoder;
    if (count != 3 || names) {
        PyErr_SetString(PyExc_TypeError, "encode takes a picture, a timestamp, and key");
        return NULL;
    }
    const struct mcu_i420 *picture = as_picture(PyType_GetModule(type), args[0]);
    const long long timestamp = picture ? PyLong_AsLongLong(args[1]) : -1;
    const int key = PyErr_Occurred() ? -1 : PyObject_IsTrue(args[2]);
    if (key < 0)
        return NULL;
    struct mcu_encoded_picture encoded;
    int made;
    Py_BEGIN_ALLOW_THREADS
    made = mcu_picture_encode(encoder, picture, timestamp, key, &encoded);
    Py_END_ALLOW_THREADS
    if (made < 0) {
        PyErr_SetString(PyExc_ValueError, "the codec refuses the picture");
        return NULL;
    }
    if (!made)
        Py_RETURN_NONE;
    return Py_BuildValue("y#N", (const char *)encoded.data, (Py_ssize_t)encoded.size,
                         PyBool_FromLong(encoded.key));
}

PyDoc_STRVAR(retarget_doc, "retarget($self, bits_per_second, /)\n--\n\n"
                           "Aim at another rate from the next picture on.");

static PyObject *retarget(PyObject *object, PyObject *rate)
{
    struct mcu_picture_encoder *encoder = ((struct encoder_object *)object)->encoder;
    const long bits_per_second = PyLong_AsLong(rate);
    if (!parsed(bits_per_second != -1 || !PyErr_Occurred()) ||
        !check_number("bits_per_second", bits_per_second, 1, INT_MAX))
        return NULL;
    if (mcu_picture_encoder_retarget(encoder, (int)bits_per_second) == 0)
        Py_RETURN_NONE;
    PyErr_SetString(PyExc_ValueError, "the codec does not encode at this rate");
    return NULL;
}

static PyMethodDef methods[] = {
    {"encode", __extension__(PyCFunction)(void (*)(void)) encode,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS, encode_doc},
    {"retarget", retarget, METH_O, retarget_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(encoder_doc,
             "Encoder(vp8, width, height, fps, bits_per_second, content, slice_max)\n--\n\n"
             "Encodes I420 pictures of one size as VP8 or H.264, for one thread at a time.");

static PyType_Slot slots[] = {
    {Py_tp_new, __extension__(void *) encoder_new},
    {Py_tp_dealloc, __extension__(void *) encoder_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_doc, __extension__(void *) encoder_doc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "mcu.media._native.Encoder",
    .basicsize = sizeof(struct encoder_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int add_encoder_type(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    const int added = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return added;
}
