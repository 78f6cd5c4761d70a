"""Settings that must be made before any test is imported."""

import os

import torch

if not torch.cuda.is_available():
    # Triton reads it when it is first imported, which torch may do at any time.
    os.environ["TRITON_INTERPRET"] = "1"
