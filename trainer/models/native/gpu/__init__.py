"""The passes of `kernels.cpp` for CUDA, in Triton; imported where Triton is, and nowhere else."""
