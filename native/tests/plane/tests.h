/* One function for each file of tests. */
#ifndef MCU_PLANE_TESTS_H
#define MCU_PLANE_TESTS_H

void udp_tests(void);
void index_tests(void);
void ice_tests(void);
void stranger_tests(void);
void sound_tests(void);
void layers_tests(void);
void video_tests(void);
void congestion_tests(void);
void rtcp_tests(void);
void tcp_tests(void);
void size_tests(void);
void port_tests(void);
void relay_tests(void);
void life_tests(void);
void tick_rooms_tests(void);
void tick_sounds_tests(void);

#endif
