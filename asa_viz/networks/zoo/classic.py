"""Classical filters as methods: weights from the image's colours at each cell, nothing trained."""

from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.classic import bilateral, mean_shift, non_local_means
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import BILATERAL_WINDOW, MEANS_PATCH, MEANS_SEARCH, SHIFT_STEPS
from asa_viz.networks.zoo.record import Head, ImageMethod, Reading

# Distances are in cells, eight pixels wide; colours run from 0 to 1, so that two of one thing
# differ by about 0.1.
BILATERAL_SPACE = 3.0
BILATERAL_VALUE = 0.1

MEANS_STRENGTH = 0.1

SHIFT_SPACE = 5.0
SHIFT_VALUE = 0.15


def read_bilateral(image: Float[Tensor, "3 h w"]) -> Reading:
    """Read the bilateral filter."""
    attention = bilateral(
        image, window=BILATERAL_WINDOW, space=BILATERAL_SPACE, value=BILATERAL_VALUE
    )
    return Reading((attention,))


def read_non_local_means(image: Float[Tensor, "3 h w"]) -> Reading:
    """Read non-local means."""
    attention = non_local_means(
        image, search=MEANS_SEARCH, patch=MEANS_PATCH, strength=MEANS_STRENGTH
    )
    return Reading((attention,))


def read_mean_shift(image: Float[Tensor, "3 h w"]) -> Reading:
    """Read mean-shift filtering after its last step."""
    return Reading((mean_shift(image, space=SHIFT_SPACE, value=SHIFT_VALUE, steps=SHIFT_STEPS),))


HEADS: tuple[Head, ...] = ()
READERS = (
    ImageMethod(METHODS["bilateral"], read_bilateral),
    ImageMethod(METHODS["non_local_means"], read_non_local_means),
    ImageMethod(METHODS["mean_shift"], read_mean_shift),
)
