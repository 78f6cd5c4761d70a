"""The colormap for numbers: cividis."""

import numpy as np
from jaxtyping import Float, UInt8
from plotly.colors import hex_to_rgb, sequential

CIVIDIS_STOPS: tuple[str, ...] = tuple(sequential.Cividis)

_ENTRIES = 256
_stops = np.array([hex_to_rgb(stop) for stop in CIVIDIS_STOPS], float)
_CIVIDIS = np.stack(
    [
        np.interp(
            np.linspace(0, 1, _ENTRIES), np.linspace(0, 1, len(CIVIDIS_STOPS)), _stops[:, channel]
        )
        for channel in range(3)
    ],
    axis=1,
).astype(np.uint8)


def cividis(fractions: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the cividis colour of each fraction; fractions are clipped to 0 to 1."""
    entries = np.clip(fractions, 0, 1) * (_ENTRIES - 1)
    return _CIVIDIS[np.rint(entries).astype(int)]
