"""Records which tensors a computation creates."""

import torch


class Watch(torch.overrides.TorchFunctionMode):
    """Records the size of the largest tensor created while it is entered."""

    largest = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.largest = max(self.largest, result.numel())
        return result
