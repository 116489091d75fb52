#include "tests.h"

int main(void)
{
    feedback_tests();
    estimate_tests();
    return failures ? 1 : 0;
}
