"""What is said of a picture that is refused, or taken in with a decision."""

SENTENCES = {
    "IMG_EMPTY": "The file is empty. Choose another picture.",
    "IMG_UNKNOWN": (
        "This is not a picture that can be read here. Use JPEG, PNG, WebP, AVIF, BMP, TIFF or GIF."
    ),
    "IMG_HEIC": (
        "This is an HEIC photo, as iPhones take them. Save it as JPEG first, or send it to "
        "yourself as Most Compatible."
    ),
    "IMG_SVG": "SVG drawings cannot be read here. Export the drawing as PNG and retry.",
    "IMG_DAMAGED": (
        "The picture is damaged, was not fully copied, or is of a rare kind. Open it in a viewer, "
        "save it again, and retry."
    ),
    "IMG_PIXELS": (
        "The picture is {width} x {height}, more than 40 million pixels. Make it smaller and retry."
    ),
    "IMG_BYTES": "The file is larger than 10 MB. Save the picture smaller and retry.",
    "IMG_SHAPE": (
        "The picture is {width} x {height}. It must be at least 8 x 8 and no more than 20 times "
        "longer than wide. Choose another picture."
    ),
    "IMG_NUMBERS": (
        "The picture contains invalid numbers (infinite, or not a number). Replace them and retry."
    ),
    "IMG_ARRAY": (
        "An array must be uint8 RGB of shape [height, width, 3], not {dtype} of shape {shape}. "
        "Convert it and retry."
    ),
    "IMG_MEMORY": "There is not enough memory for this picture. Make it smaller and retry.",
}

FIRST_FRAME, ON_WHITE, STRETCHED = "first_frame", "on_white", "stretched"
ENLARGED, FRAMED = "enlarged", "framed"
# Of the attention, not of the picture: a packet may say so.
SHARES, SIGNED, NOT_LEARNED = "shares", "signed", "not_learned"
NOTES = {
    FIRST_FRAME: "The file holds several frames; the first frame is used.",
    ON_WHITE: "Transparent parts are shown on white.",
    ENLARGED: "The picture has few pixels and was enlarged for the network.",
    FRAMED: (
        "The picture is far longer than the network's, and was put between grey bars so as not to "
        "be squeezed. The network sees the bars too; they cannot be pointed at."
    ),
    SHARES: "Each row of this attention is shown as shares: its weights over what they add up to.",
    SIGNED: (
        "Some weights of this attention are negative; each row is shown as shares of their sizes, "
        "without signs."
    ),
    NOT_LEARNED: "The thresholds were chosen by hand; this network has not learned them.",
    STRETCHED: (
        "The picture's numbers are stretched so that the lowest is black and the highest white."
    ),
}


class ImageError(ValueError):
    """A picture that is refused; the text is for the visitor and says what to do.

    It is the sentence of SENTENCES under `code`, with the `facts` filled in.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(SENTENCES[code].format(**facts))
        self.code = code
        self.facts = facts
