// Compiled as one: most of the time of each would go on the same headers.
#include "memory_plan.cpp"
#include "graph.cpp"
#include "plan.cpp"
#include "tensor.cpp"
#include "../binary/checksum.cpp"
#include "../binary/read.cpp"
#include "../binary/write.cpp"
#include "../core/thread_pool.cpp"
