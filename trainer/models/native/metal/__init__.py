"""The passes of `kernels.cpp` for a Mac, as Metal source that torch compiles there."""
