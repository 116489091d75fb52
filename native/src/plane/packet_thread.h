/* The thread that receives, and keeps time for what comes. */
#ifndef MCU_PLANE_PACKET_THREAD_H
#define MCU_PLANE_PACKET_THREAD_H

struct mcu_plane;
int packet_thread_begin(struct mcu_plane *plane); /* -1 with errno */
void packet_thread_end(struct mcu_plane *plane);

#endif
