/* Any processor: what the compiler takes for granted (SSE2 on x86-64, NEON on 64-bit Arm). */
#include "_kernel_impl.h"
const struct kernel kernel_base = {"base", run, distances};
