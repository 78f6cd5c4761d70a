"""What the page says, in English; everything a reader sees is here."""

from asa_viz.figures.plots import PlotTexts

TITLE = "asa-viz"
SUBTITLE = "What a pixel of a segmentation network attends to. Point at any panel."
FOOTER = (
    "n is the number of cells. Weights are in multiples of 1/n, the weight every cell has when "
    "none is preferred. Attention shows what is read, not why a class is chosen."
)

PICTURES = "Photographs"
UPLOAD = "Open a picture"
NETWORK = "Network"
ROW = "Row 0–{last}"
COLUMN = "Col. 0–{last}"
NONLOCAL = "non-local"
LOCAL = "local"

PANELS = {
    "photo": ("Photo", "the framed cell is the query"),
    "dense": ("Dense row", "before A-RNN, × 1/n"),
    "sparse": ("A-RNN row", "what is read, × 1/n"),
    "thresholds": ("Learned thresholds", ""),
    "neighbours": ("Neighbours", "who chooses whom, in cells"),
    "segmentation": ("Segmentation", "class of each pixel"),
}
ALT = {
    "photo": "The photo, with a frame around the query's cell",
    "dense": "Map of the dense row: the weight of every cell for the query",
    "sparse": "Map of the A-RNN row: the weights of the cells that are kept",
    "thresholds": "Map of the thresholds the network has learned for every cell",
    "neighbours": "Map of the cells by who chooses whom",
    "segmentation": "Map of the class of every pixel",
}
PAIR_TITLE = ("Pairs", "each dot a cell; lines: thresholds")
PAIR_TITLE_DENSE = ("Pairs", "each dot a cell; no thresholds")
CURVE_TITLE = ("Sorted row", "dense weights; dots: kept")
CURVE_TITLE_DENSE = ("Sorted row", "dense weights; all kept")

GROUP_NAMES = {
    "reciprocal": "both choose, kept",
    "local": "local only, kept",
    "query_only": "only the query",
    "key_only": "only the key",
    "rest": "neither",
}
PLOTS = PlotTexts(
    chooses="query → cell, × query's threshold",
    chooses_dense="query → cell, × 1/n",
    chosen_back="cell → query, × cell's threshold",
    chosen_back_dense="cell → query, × 1/n",
    rank="rank",
    weight="weight, × 1/n",
    kept="kept",
    row="dense row",
    hover="row %{customdata[0]}, column %{customdata[1]}<br>%{x:.3g} across, %{y:.3g} up",
    groups=GROUP_NAMES,
)

WHERE = "Row {row}, column {col}, on {label}."
KEEPS = "Keeps {kept} of {n} cells, {mass} of the mass, {share} of it on {label}."
KEEPS_ALL = (
    "Keeps all {n} cells: this network has no thresholds. {share} of the mass is on {label}."
)
KEEPS_ITSELF = (
    "No cell is chosen by both, and none passes the local threshold: it reads only itself."
)
PHOTO_LINE = "{width} × {height} pixels, {rows} × {cols} cells, n = {n}"
THRESHOLD = "threshold {value}"
CLIPPED = "clipped at {high}, largest {largest}"
UNCLIPPED = "nothing clipped, largest {largest}"
NONLOCAL_UNIT = "× 1/n"
LOCAL_UNIT = "× mean"
NONLOCAL_NUMBER = "here {scale}: chooses cells from {scale} × 1/n"
LOCAL_NUMBER = "here {scale} × its window's mean, {threshold} × 1/n"
NO_THRESHOLDS = "This network learns none: every cell is kept."

_NETWORK_PARTS = {
    "asa": "ASA",
    "nonlocal": "Non-local",
    "mobilenetv2": "MobileNetV2",
    "resnet50": "ResNet-50",
    "camvid": "",
}

READING = "Reading the picture …"
WAITING = "Reading the first picture …"
GONE = "That picture is no longer here. Open it again, or take one of the photographs."
FAILED = "The network could not read this picture; the last one stays. Try another."


def network_title(name: str) -> str:
    """Return what a network is called on the page: "asa_resnet50_camvid" is "ASA, ResNet-50"."""
    return ", ".join(filter(None, (_NETWORK_PARTS.get(part, part) for part in name.split("_"))))
