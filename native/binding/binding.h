/* What the files of the binding share: the picture type, and the checks of arguments. */
#ifndef MCU_BINDING_H
#define MCU_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <mcu/i420.h>

struct module_state {
    PyTypeObject *picture_type, *plane_type, *rows_type;
    PyObject *event_type, *talker_type; /* named tuples */
};

/* Each adds classes to the module. -1 with an exception where it cannot. */
int add_picture_type(PyObject *module);
int add_plane_type(PyObject *module);
int add_event_types(PyObject *module); /* with the constants of events and sources */
/* One of those with these values, which it takes, NULL too: as calling the type, but for the
 * function in Python that collections.namedtuple gives it. */
PyObject *named(PyObject *type, PyObject *values);
int add_rows_type(PyObject *module);

int add_encoder_type(PyObject *module);

/* The picture in an `I420`, valid while the object lives; NULL with an exception where the
 * object is none, or, for a canvas, its memory is read-only. */
const struct mcu_i420 *as_picture(PyObject *module, PyObject *object);
const struct mcu_i420 *as_canvas(PyObject *module, PyObject *object);

/* What `PyArg_Parse…` and `PyLong_As…` return. They raise OverflowError for what is no number
 * of C's; for us that is a wrong value: ValueError. */
int parsed(int ok);

/* Each returns 1, or 0 with a ValueError that names the argument. */
int check_number(const char *name, long long value, long long least, long long most);
int check_range(const char *name, int value, int least, int most);
int check_size(int width, int height);
int check_place(const char *name, int place);
int check_rect(const char *name, struct mcu_rect rect);
int check_colour(const char *name, int y, int u, int v, struct mcu_colour *colour);
int check_apart(const struct mcu_i420 *canvas, const struct mcu_i420 *source);
int check_mask_apart(const struct mcu_i420 *canvas, const struct mcu_mask *mask);

/* Fills in `mask->alpha`, for the size that is in `mask`, from a buffer of exactly that many
 * bytes. Returns 1, and `memory` must be released; or 0 with an exception. */
int get_mask(PyObject *object, Py_buffer *memory, struct mcu_mask *mask);

#endif
