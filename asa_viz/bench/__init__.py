"""How fast adaptive sparse attention is, always against a peer: `python -m asa_viz.bench`."""

import os

# PyTorch's profiler, which measures memory, reads it once: it would write between the lines.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")
