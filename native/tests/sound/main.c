/* The tests of native/src/sound: a group a file. */
#include "harness.h"

void arrivals_tests(void);
void codec_tests(void);
void dtmf_tests(void);
void hearing_tests(void);
void stretching_tests(void);
void tones_tests(void);

int main(void)
{
    arrivals_tests();
    codec_tests();
    dtmf_tests();
    hearing_tests();
    stretching_tests();
    tones_tests();
    return failures != 0;
}
