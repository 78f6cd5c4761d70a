"""The clean rule as Triton kernels, forward and backward: what `engine` does, on a GPU."""
