/* The tests of native/src/sound: a group a file. */
#include "harness.h"

void codec_tests(void);
void stretching_tests(void);

int main(void)
{
    codec_tests();
    stretching_tests();
    return failures != 0;
}
