"""What must be said before any test is read, and what is put right after each."""

import logging
import os
import sys

import pytest
import torch

if not torch.cuda.is_available():
    # Triton reads it when it is first imported, which torch may do at any time.
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(autouse=True)
def _no_closed_log_files():
    """Take log files that are closed from mmengine's loggers, which write to them all the same.

    A server that starts in this process sets up logging, which closes all handlers there are.
    """
    if "mmengine.logging" not in sys.modules:
        return
    from mmengine.logging import MMLogger

    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers[:]:
            if isinstance(handler, logging.FileHandler) and handler.stream is None:
                logger.removeHandler(handler)
