// Compiled as one: most of the time of each would go on the same headers.
#include "block_fully_connected.cpp"
#include "block_gated_mlp.cpp"
#include "block_gather.cpp"
#include "block_linear.cpp"
#include "quantize.cpp"
