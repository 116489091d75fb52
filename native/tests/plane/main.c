#include "harness.h"
#include "tests.h"

int main(void)
{
    index_tests();
    udp_tests();
    ice_tests();
    stranger_tests();
    sound_tests();
    video_tests();
    layers_tests();
    congestion_tests();
    rtcp_tests();
    tcp_tests();
    size_tests();
    port_tests();
    relay_tests();
    life_tests();
    tick_rooms_tests();
    tick_sounds_tests();
    return failures ? 1 : 0;
}
