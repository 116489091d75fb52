/* Arguments, checked: what a kernel may rely on. */
#include "binding.h"

int parsed(int ok)
{
    if (!ok && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_SetString(PyExc_ValueError, "a number is far out of range");
    }
    return ok;
}

int check_number(const char *name, long long value, long long least, long long most)
{
    if (value >= least && value <= most)
        return 1;
    PyErr_Format(PyExc_ValueError, "%s is %lld, but must be %lld to %lld", name, value, least,
                 most);
    return 0;
}

int check_range(const char *name, int value, int least, int most)
{
    return check_number(name, value, least, most);
}

int check_size(int width, int height)
{
    return check_range("width", width, 1, MCU_MAX_SIDE) &&
           check_range("height", height, 1, MCU_MAX_SIDE);
}

int check_place(const char *name, int place)
{
    return check_range(name, place, -MCU_MAX_SIDE, MCU_MAX_SIDE);
}

static int check_side(const char *name, const char *which, int value, int least)
{
    if (value >= least && value <= MCU_MAX_SIDE)
        return 1;
    PyErr_Format(PyExc_ValueError, "%s: %s is %d, but must be %d to %d", name, which, value,
                 least, MCU_MAX_SIDE);
    return 0;
}

int check_rect(const char *name, struct mcu_rect rect)
{
    return check_side(name, "x", rect.x, -MCU_MAX_SIDE) &&
           check_side(name, "y", rect.y, -MCU_MAX_SIDE) &&
           check_side(name, "width", rect.width, 0) &&
           check_side(name, "height", rect.height, 0);
}

int check_colour(const char *name, int y, int u, int v, struct mcu_colour *colour)
{
    if (!check_range(name, y, 0, 255) || !check_range(name, u, 0, 255) ||
        !check_range(name, v, 0, 255))
        return 0;
    *colour = (struct mcu_colour){{(uint8_t)y, (uint8_t)u, (uint8_t)v}};
    return 1;
}

struct range {
    uintptr_t begin, end;
};

static struct range plane_range(const struct mcu_i420 *picture, int plane)
{
    const int round = plane ? 1 : 0;
    const int width = (picture->width + round) >> round;
    const int height = (picture->height + round) >> round;
    const uintptr_t begin = (uintptr_t)picture->plane[plane];
    return (struct range){begin, begin + (uintptr_t)((height - 1) * picture->stride[plane]) +
                                     (uintptr_t)width};
}

static int overlaps_canvas(const struct mcu_i420 *canvas, struct range other)
{
    for (int plane = 0; plane < 3; plane++) {
        const struct range own = plane_range(canvas, plane);
        if (own.begin < other.end && other.begin < own.end)
            return 1;
    }
    return 0;
}

int check_apart(const struct mcu_i420 *canvas, const struct mcu_i420 *source)
{
    for (int plane = 0; plane < 3; plane++)
        if (overlaps_canvas(canvas, plane_range(source, plane))) {
            PyErr_SetString(PyExc_ValueError, "canvas and source must not overlap in memory");
            return 0;
        }
    return 1;
}

int check_mask_apart(const struct mcu_i420 *canvas, const struct mcu_mask *mask)
{
    const uintptr_t begin = (uintptr_t)mask->alpha;
    const uintptr_t size = (uintptr_t)mask->width * (uintptr_t)mask->height;
    if (!overlaps_canvas(canvas, (struct range){begin, begin + size}))
        return 1;
    PyErr_SetString(PyExc_ValueError, "canvas and mask must not overlap in memory");
    return 0;
}

int get_mask(PyObject *object, Py_buffer *memory, struct mcu_mask *mask)
{
    if (!check_range("mask width", mask->width, 0, MCU_MAX_SIDE) ||
        !check_range("mask height", mask->height, 0, MCU_MAX_SIDE))
        return 0;
    if (PyObject_GetBuffer(object, memory, PyBUF_SIMPLE) != 0)
        return 0;
    if (memory->len != (Py_ssize_t)mask->width * mask->height) {
        PyErr_Format(PyExc_ValueError, "mask is %zd bytes, but %d x %d is %zd", memory->len,
                     mask->width, mask->height, (Py_ssize_t)mask->width * mask->height);
        PyBuffer_Release(memory);
        return 0;
    }
    mask->alpha = memory->buf;
    return 1;
}
