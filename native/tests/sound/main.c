/* The tests of native/src/sound: a group a file. */
#include "harness.h"

void codec_tests(void);

int main(void)
{
    codec_tests();
    return failures != 0;
}
