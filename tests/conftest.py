"""What must be said before any test is read."""

import os

import torch

if not torch.cuda.is_available():
    # Triton reads it when it is first imported, which torch may do at any time.
    os.environ["TRITON_INTERPRET"] = "1"
