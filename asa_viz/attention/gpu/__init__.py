"""The clean rule as Triton kernels, forward and backward: the GPU version of `engine`."""
