/* Video payloads, pictures put together and packets sent again. */
#include "checks.h"

#include "harness.h"

int main(void)
{
    payload_tests();
    frames_tests();
    frames_key_tests();
    resend_tests();
    return failures != 0;
}
