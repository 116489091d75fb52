/* Video payloads, pictures put together, packets sent again, and how long pictures wait. */
#include "checks.h"

#include "harness.h"

int main(void)
{
    payload_tests();
    frames_tests();
    frames_key_tests();
    lips_tests();
    resend_tests();
    return failures != 0;
}
