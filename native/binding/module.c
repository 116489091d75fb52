/* The Python module: checks every argument, drops the GIL, calls one kernel.
 *
 * The only place with Python.h. Limited API of 3.11, buffers by Py_buffer: one abi3 build
 * serves every later Python, and any object with memory (bytes, numpy, PyAV planes) will do.
 */
#include "binding.h"

#include <mcu/copy.h>
#include <mcu/draw.h>
#include <mcu/scale.h>

static PyObject *rect_tuple(struct mcu_rect rect)
{
    return Py_BuildValue("(iiii)", rect.x, rect.y, rect.width, rect.height);
}

PyDoc_STRVAR(letterbox_doc, "letterbox(width, height, tile, /)\n--\n\n"
                            "Where a picture of this size comes to in the tile.");

static PyObject *letterbox(PyObject *Py_UNUSED(module), PyObject *args)
{
    int width, height;
    struct mcu_rect tile;
    if (!parsed(PyArg_ParseTuple(args, "ii(iiii)", &width, &height, &tile.x, &tile.y,
                                 &tile.width, &tile.height)) ||
        !check_size(width, height) || !check_rect("tile", tile))
        return NULL;
    return rect_tuple(mcu_letterbox(width, height, tile));
}

PyDoc_STRVAR(scale_doc, "scale_into_tile(canvas, source, tile, /)\n--\n\n"
                        "Scale and letterbox; returns the visible part of the picture.");

static PyObject *scale_into_tile(PyObject *module, PyObject *args)
{
    PyObject *canvas_object, *source_object;
    struct mcu_rect tile, drawn;
    if (!parsed(PyArg_ParseTuple(args, "OO(iiii)", &canvas_object, &source_object, &tile.x,
                                 &tile.y, &tile.width, &tile.height)))
        return NULL;
    const struct mcu_i420 *canvas = as_canvas(module, canvas_object);
    const struct mcu_i420 *source = canvas ? as_picture(module, source_object) : NULL;
    if (!source || !check_apart(canvas, source) || !check_rect("tile", tile))
        return NULL;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = mcu_scale_into_tile(canvas, source, tile, &drawn);
    Py_END_ALLOW_THREADS
    return failed ? PyErr_NoMemory() : rect_tuple(drawn);
}

PyDoc_STRVAR(fill_doc, "fill(canvas, rect, colour, /)\n--\n\nFill a rectangle.");

static PyObject *fill(PyObject *module, PyObject *args)
{
    PyObject *canvas_object;
    struct mcu_rect rect;
    int y, u, v;
    struct mcu_colour colour;
    if (!parsed(PyArg_ParseTuple(args, "O(iiii)(iii)", &canvas_object, &rect.x, &rect.y,
                                 &rect.width, &rect.height, &y, &u, &v)))
        return NULL;
    const struct mcu_i420 *canvas = as_canvas(module, canvas_object);
    if (!canvas || !check_rect("rect", rect) || !check_colour("colour", y, u, v, &colour))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    mcu_fill(canvas, rect, colour);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

PyDoc_STRVAR(border_doc, "border(canvas, rect, thickness, colour, /)\n--\n\n"
                         "Draw the outline of a rectangle, inside it.");

static PyObject *border(PyObject *module, PyObject *args)
{
    PyObject *canvas_object;
    struct mcu_rect rect;
    int thickness, y, u, v;
    struct mcu_colour colour;
    if (!parsed(PyArg_ParseTuple(args, "O(iiii)i(iii)", &canvas_object, &rect.x, &rect.y,
                                 &rect.width, &rect.height, &thickness, &y, &u, &v)))
        return NULL;
    const struct mcu_i420 *canvas = as_canvas(module, canvas_object);
    if (!canvas || !check_rect("rect", rect) || !check_colour("colour", y, u, v, &colour) ||
        !check_range("thickness", thickness, 0, MCU_MAX_SIDE))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    mcu_border(canvas, rect, thickness, colour);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

PyDoc_STRVAR(label_doc, "label(canvas, x, y, mask, size, ink, plate, plate_alpha, /)\n--\n\n"
                        "Blit text, given as opacities, on a plate.");

static PyObject *label(PyObject *module, PyObject *args)
{
    PyObject *canvas_object, *mask_object, *result = NULL;
    int x, y, ink[3], plate[3], plate_alpha;
    struct mcu_mask mask;
    struct mcu_colour ink_colour, plate_colour;
    Py_buffer memory;
    if (!parsed(PyArg_ParseTuple(args, "OiiO(ii)(iii)(iii)i", &canvas_object, &x, &y,
                                 &mask_object, &mask.width, &mask.height, &ink[0], &ink[1],
                                 &ink[2], &plate[0], &plate[1], &plate[2], &plate_alpha)))
        return NULL;
    const struct mcu_i420 *canvas = as_canvas(module, canvas_object);
    if (!canvas || !check_place("x", x) || !check_place("y", y) ||
        !check_colour("ink", ink[0], ink[1], ink[2], &ink_colour) ||
        !check_colour("plate", plate[0], plate[1], plate[2], &plate_colour) ||
        !check_range("plate_alpha", plate_alpha, 0, 255) ||
        !get_mask(mask_object, &memory, &mask))
        return NULL;
    if (!check_mask_apart(canvas, &mask))
        goto release_mask;
    Py_BEGIN_ALLOW_THREADS
    mcu_label(canvas, x, y, mask, ink_colour, plate_colour, (uint8_t)plate_alpha);
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
release_mask:
    PyBuffer_Release(&memory);
    return result;
}

PyDoc_STRVAR(avatar_doc,
             "avatar(canvas, tile, background, disc, radius, mask, size, ink, /)\n--\n\n"
             "Fill a tile with a disc and initials, given as opacities.");

static PyObject *avatar(PyObject *module, PyObject *args)
{
    PyObject *canvas_object, *mask_object, *result = NULL;
    struct mcu_rect tile;
    int background[3], disc[3], ink[3];
    struct mcu_avatar what;
    Py_buffer memory;
    if (!parsed(PyArg_ParseTuple(args, "O(iiii)(iii)(iii)iO(ii)(iii)", &canvas_object, &tile.x,
                                 &tile.y, &tile.width, &tile.height, &background[0],
                                 &background[1], &background[2], &disc[0], &disc[1], &disc[2],
                                 &what.radius, &mask_object, &what.initials.width,
                                 &what.initials.height, &ink[0], &ink[1], &ink[2])))
        return NULL;
    const struct mcu_i420 *canvas = as_canvas(module, canvas_object);
    if (!canvas || !check_rect("tile", tile) ||
        !check_colour("background", background[0], background[1], background[2],
                      &what.background) ||
        !check_colour("disc", disc[0], disc[1], disc[2], &what.disc) ||
        !check_colour("ink", ink[0], ink[1], ink[2], &what.ink) ||
        !check_range("radius", what.radius, 0, MCU_MAX_SIDE) ||
        !get_mask(mask_object, &memory, &what.initials))
        return NULL;
    if (!check_mask_apart(canvas, &what.initials))
        goto release_mask;
    Py_BEGIN_ALLOW_THREADS
    mcu_avatar(canvas, tile, &what);
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
release_mask:
    PyBuffer_Release(&memory);
    return result;
}

PyDoc_STRVAR(copy_doc, "copy(canvas, source, rect, x, y, /)\n--\n\n"
                       "Copy a rectangle of the source to (x, y) of the canvas.");

static PyObject *copy(PyObject *module, PyObject *args)
{
    PyObject *canvas_object, *source_object;
    struct mcu_rect rect;
    int x, y;
    if (!parsed(PyArg_ParseTuple(args, "OO(iiii)ii", &canvas_object, &source_object, &rect.x,
                                 &rect.y, &rect.width, &rect.height, &x, &y)))
        return NULL;
    const struct mcu_i420 *canvas = as_canvas(module, canvas_object);
    const struct mcu_i420 *source = canvas ? as_picture(module, source_object) : NULL;
    if (!source || !check_apart(canvas, source) || !check_rect("rect", rect) ||
        !check_place("x", x) || !check_place("y", y))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    mcu_copy(canvas, source, rect, x, y);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"letterbox", letterbox, METH_VARARGS, letterbox_doc},
    {"scale_into_tile", scale_into_tile, METH_VARARGS, scale_doc},
    {"fill", fill, METH_VARARGS, fill_doc},
    {"border", border, METH_VARARGS, border_doc},
    {"label", label, METH_VARARGS, label_doc},
    {"avatar", avatar, METH_VARARGS, avatar_doc},
    {"copy", copy, METH_VARARGS, copy_doc},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    return add_picture_type(module) || add_encoder_type(module) || add_event_types(module) ||
           add_rows_type(module) || add_plane_type(module) ||
           PyModule_AddIntConstant(module, "MAX_SIDE", MCU_MAX_SIDE);
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    struct module_state *state = PyModule_GetState(module);
    Py_VISIT(state->picture_type);
    Py_VISIT(state->plane_type);
    Py_VISIT(state->rows_type);
    Py_VISIT(state->event_type);
    Py_VISIT(state->talker_type);
    return 0;
}

static int clear(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->picture_type);
    Py_CLEAR(state->plane_type);
    Py_CLEAR(state->rows_type);
    Py_CLEAR(state->event_type);
    Py_CLEAR(state->talker_type);
    return 0;
}

/* A slot holds a function in a `void *`, which ISO C has no conversion for; POSIX has. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, __extension__(void *) execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mcu.media._native",
    .m_doc = "Drawing on I420 pictures, and the media plane; in C and without the GIL.",
    .m_size = sizeof(struct module_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
