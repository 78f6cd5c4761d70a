"""Benchmarks of adaptive sparse attention, each against a peer: `python -m asa_viz.bench`."""

import os

# Set before the import of PyTorch's profiler, which measures memory: otherwise it logs between our
# lines.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")
