/* The class I420: a picture over the memory of three buffers, which it keeps alive. */
#include "binding.h"

struct picture_object {
    PyObject head;
    Py_buffer memory[3]; /* `obj` is NULL in those not held */
    struct mcu_i420 picture;
    int writable;
};

static int get_plane(struct picture_object *self, int plane, PyObject *object)
{
    Py_buffer *memory = &self->memory[plane];
    if (PyObject_GetBuffer(object, memory, PyBUF_WRITABLE) == 0)
        return 1;
    memory->obj = NULL;
    if (!PyErr_ExceptionMatches(PyExc_BufferError) &&
        !PyErr_ExceptionMatches(PyExc_ValueError))
        return 0;
    PyErr_Clear();
    self->writable = 0;
    if (PyObject_GetBuffer(object, memory, PyBUF_SIMPLE) == 0)
        return 1;
    memory->obj = NULL;
    return 0;
}

static int check_plane(const struct picture_object *self, int plane)
{
    const int round = plane ? 1 : 0;
    const int width = (self->picture.width + round) >> round;
    const int height = (self->picture.height + round) >> round;
    const ptrdiff_t stride = self->picture.stride[plane];
    const Py_ssize_t length = self->memory[plane].len;
    if (stride < width || stride > 4 * MCU_MAX_SIDE) {
        PyErr_Format(PyExc_ValueError, "stride of plane %d is %zd, but must be %d to %d",
                     plane, (Py_ssize_t)stride, width, 4 * MCU_MAX_SIDE);
        return 0;
    }
    if (length < (height - 1) * stride + width) {
        PyErr_Format(PyExc_ValueError, "plane %d is %zd bytes, but needs %zd", plane, length,
                     (Py_ssize_t)((height - 1) * stride + width));
        return 0;
    }
    return 1;
}

static int open_planes(struct picture_object *self, PyObject *const objects[3])
{
    for (int plane = 0; plane < 3; plane++) {
        if (!get_plane(self, plane, objects[plane]) || !check_plane(self, plane))
            return 0;
        self->picture.plane[plane] = self->memory[plane].buf;
    }
    return 1;
}

static PyObject *picture_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"y", "u", "v", "strides", "width", "height", NULL};
    PyObject *planes[3];
    int stride[3], width, height;
    if (!parsed(PyArg_ParseTupleAndKeywords(args, keywords, "OOO(iii)ii", names, &planes[0],
                                            &planes[1], &planes[2], &stride[0], &stride[1],
                                            &stride[2], &width, &height)) ||
        !check_size(width, height))
        return NULL;
    allocfunc allocate = __extension__(allocfunc) PyType_GetSlot(type, Py_tp_alloc);
    struct picture_object *self = (struct picture_object *)allocate(type, 0);
    if (!self)
        return NULL;
    self->picture.width = width;
    self->picture.height = height;
    for (int plane = 0; plane < 3; plane++)
        self->picture.stride[plane] = stride[plane];
    self->writable = 1;
    if (!open_planes(self, planes)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void picture_dealloc(PyObject *object)
{
    struct picture_object *self = (struct picture_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = __extension__(freefunc) PyType_GetSlot(type, Py_tp_free);
    for (int plane = 2; plane >= 0; plane--)
        if (self->memory[plane].obj)
            PyBuffer_Release(&self->memory[plane]);
    release(object);
    Py_DECREF(type);
}

static PyObject *get_width(PyObject *object, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct picture_object *)object)->picture.width);
}

static PyObject *get_height(PyObject *object, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct picture_object *)object)->picture.height);
}

static PyObject *get_writable(PyObject *object, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((struct picture_object *)object)->writable);
}

static PyGetSetDef properties[] = {
    {"width", get_width, NULL, "in luma pixels", NULL},
    {"height", get_height, NULL, "in luma pixels", NULL},
    {"writable", get_writable, NULL, "whether it can be drawn on", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(picture_doc, "I420(y, u, v, strides, width, height)\n--\n\n"
                          "A picture over three buffers, which it holds and does not copy.");

static PyType_Slot slots[] = {
    {Py_tp_new, __extension__(void *) picture_new},
    {Py_tp_dealloc, __extension__(void *) picture_dealloc},
    {Py_tp_getset, properties},
    {Py_tp_doc, __extension__(void *) picture_doc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "mcu.media._native.I420",
    .basicsize = sizeof(struct picture_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int add_picture_type(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    state->picture_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->picture_type ? PyModule_AddType(module, state->picture_type) : -1;
}

static struct picture_object *as_picture_object(PyObject *module, PyObject *object)
{
    const struct module_state *state = PyModule_GetState(module);
    if (Py_IS_TYPE(object, state->picture_type))
        return (struct picture_object *)object;
    PyErr_SetString(PyExc_TypeError, "a picture must be an I420");
    return NULL;
}

const struct mcu_i420 *as_picture(PyObject *module, PyObject *object)
{
    const struct picture_object *self = as_picture_object(module, object);
    return self ? &self->picture : NULL;
}

const struct mcu_i420 *as_canvas(PyObject *module, PyObject *object)
{
    const struct picture_object *self = as_picture_object(module, object);
    if (!self)
        return NULL;
    if (!self->writable) {
        PyErr_SetString(PyExc_ValueError, "the canvas is read-only");
        return NULL;
    }
    return &self->picture;
}
