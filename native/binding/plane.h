/* What the files of the class `Plane` share. */
#ifndef MCU_BINDING_PLANE_H
#define MCU_BINDING_PLANE_H

#include "binding.h"

#include <mcu/plane.h>

/* Drops the GIL, and keeps the plane from being closed until `release_plane`. NULL with a
 * ValueError, and the GIL kept, where it is closed. */
struct mcu_plane *hold_plane(PyObject *self, PyThreadState **thread);
/* Takes the GIL again. errno stays. */
void release_plane(PyObject *self, PyThreadState *thread);
/* An exception for what errno says, and NULL. */
PyObject *refused(void);
/* None, or what `refused` says where `result` is negative. */
PyObject *done(int result);
/* The number, or what `refused` says where it is negative. */
PyObject *number(int result);

/* A method that takes one int: calls the plane with it, and answers by `done` or `number`. */
PyObject *with_int(PyObject *self, PyObject *args,
                   int (*call)(struct mcu_plane *plane, int value),
                   PyObject *(*answer)(int result));

/* -- arguments: each returns 1, or 0 with an exception -- */

/* A socket address; its port is left 0. Numbers only, no names. */
int get_address(const char *text, struct sockaddr_storage *address);
/* The addresses of a plane, in memory that the caller frees with PyMem_Free. */
int get_addresses(PyObject *object, struct mcu_plane_options *options);
int get_profile(const char *name, enum mcu_srtp_profile *profile);
int check_key(const char *name, const Py_buffer *key, enum mcu_srtp_profile profile);
int get_picture_codec(const char *name, bool *h264);
/* The arguments of `Plane.add_stream`. */
int get_stream(PyObject *args, PyObject *keywords, int *leg,
               struct mcu_stream_options *stream);
/* A sequence of handles, in memory that the caller frees with PyMem_Free. */
int get_handles(PyObject *object, int **handles, size_t *count);
/* A sequence of (leg, sound), likewise. */
int get_routes(PyObject *object, struct mcu_route **routes, size_t *count);

/* -- methods -- */

PyObject *plane_events(PyObject *self, PyObject *nothing);
PyObject *plane_add_webrtc(PyObject *self, PyObject *args);
PyObject *plane_restart_ice(PyObject *self, PyObject *args);
PyObject *plane_add_rtp(PyObject *self, PyObject *args);
PyObject *plane_add_relay(PyObject *self, PyObject *args);
PyObject *plane_set_remote(PyObject *self, PyObject *args);
PyObject *plane_set_keys(PyObject *self, PyObject *args);
PyObject *plane_use_ice(PyObject *self, PyObject *args);
PyObject *plane_require_keys(PyObject *self, PyObject *args);
PyObject *plane_remove(PyObject *self, PyObject *args);
PyObject *plane_add_stream(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *plane_send_dtls(PyObject *self, PyObject *args);
PyObject *plane_answer_greeting(PyObject *self, PyObject *args);
PyObject *plane_believe(PyObject *self, PyObject *args);
PyObject *plane_send_picture(PyObject *self, PyObject *args);
PyObject *plane_choose(PyObject *self, PyObject *args);
PyObject *plane_want_key(PyObject *self, PyObject *args);
PyObject *plane_hold(PyObject *self, PyObject *args);
PyObject *plane_limit(PyObject *self, PyObject *args);
PyObject *plane_aim(PyObject *self, PyObject *args);
PyObject *plane_add_room(PyObject *self, PyObject *args);
PyObject *plane_remove_room(PyObject *self, PyObject *args);
PyObject *plane_hear(PyObject *self, PyObject *args);
PyObject *plane_add_sound(PyObject *self, PyObject *args);
PyObject *plane_remove_sound(PyObject *self, PyObject *args);
PyObject *plane_collect(PyObject *self, PyObject *args);
PyObject *plane_talkers(PyObject *self, PyObject *nothing);
PyObject *plane_send(PyObject *self, PyObject *args);
PyObject *plane_skip(PyObject *self, PyObject *args);
PyObject *plane_sent_sequence(PyObject *self, PyObject *args);
PyObject *plane_leg_stats(PyObject *self, PyObject *args);
PyObject *plane_leg_traffic(PyObject *self, PyObject *args);
PyObject *plane_stats(PyObject *self, PyObject *nothing);

#endif
