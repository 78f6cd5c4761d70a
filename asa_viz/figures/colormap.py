"""The colormap for numbers: viridis, as the page has it in app/viewer/core/scale.ts."""

import numpy as np
from jaxtyping import Float, UInt8
from plotly.colors import hex_to_rgb, sequential

VIRIDIS_STOPS: tuple[str, ...] = tuple(sequential.Viridis)

_ENTRIES = 256
_stops = np.array([hex_to_rgb(stop) for stop in VIRIDIS_STOPS], float)
_VIRIDIS = np.floor(
    np.stack(
        [
            np.interp(
                np.linspace(0, 1, _ENTRIES),
                np.linspace(0, 1, len(VIRIDIS_STOPS)),
                _stops[:, channel],
            )
            for channel in range(3)
        ],
        axis=1,
    )
    + 0.5
).astype(np.uint8)


def viridis(fractions: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the viridis colour of each fraction; fractions are clipped to 0 to 1."""
    entries = np.clip(fractions, 0, 1) * (_ENTRIES - 1)
    return _VIRIDIS[np.floor(entries + 0.5).astype(int)]
