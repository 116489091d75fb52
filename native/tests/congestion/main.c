#include "tests.h"

int main(void)
{
    feedback_tests();
    estimate_tests();
    blind_tests();
    return failures ? 1 : 0;
}
