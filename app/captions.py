"""The words and numbers beside the pictures, as HTML; every piece of data is escaped here."""

import html

from app import texts
from asa_viz.figures.palettes import CIVIDIS_STOPS, GROUPS, group_counts
from asa_viz.figures.scales import Scale
from asa_viz.geometry import Grid
from asa_viz.views import QueryView, SegmentationView


def escape(data: object) -> str:
    """Make data safe to stand in HTML, and in a template that looks for `${`."""
    return html.escape(str(data)).replace("$", "&#36;").replace("{", "&#123;")


def number(value: float) -> str:
    """Write a number to three figures, without exponents."""
    if value >= 99.95:
        return f"{value:.0f}"
    if value >= 9.995:
        return f"{value:.1f}"
    if value >= 0.9995 or value == 0:
        return f"{value:.2f}"
    return f"{value:.3f}" if value >= 0.0005 else "under 0.001"


def percent(share: float) -> str:
    """Write a share in whole per cents; 0 % and 100 % only where they are true."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1 - 1e-6:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def sentence(view: QueryView, segmentation: SegmentationView, learned: bool) -> str:
    """Say in plain words what the query reads."""
    label, share = next(iter(segmentation.shares(view.weights).items()))
    own = segmentation.classes[segmentation.cell_labels[view.query]]
    if not learned:
        said = texts.KEEPS_ALL.format(n=view.dense.size, share=percent(share), label=label)
    elif not view.support.any():
        said = texts.KEEPS_ITSELF
    else:
        said = texts.KEEPS.format(
            kept=int(view.support.sum()),
            n=view.dense.size,
            mass=percent(view.kept_mass),
            share=percent(share),
            label=label,
        )
    where = texts.WHERE.format(row=view.query.row, col=view.query.col, label=own)
    return f"<p><b>{escape(where)}</b> {escape(said)}</p>"


def status(line: str) -> str:
    """One calm line about what the page is doing, or why it could not."""
    return f"<p>{escape(line)}</p>"


def note(line: str) -> str:
    """A small line under a panel."""
    return f'<p class="note">{escape(line)}</p>'


def heading(title: str, what: str) -> str:
    """A panel's title, and in one line what it shows and in which unit."""
    return f"<h2>{escape(title)} <span>{escape(what)}</span></h2>"


def photo_line(grid: Grid, notes: tuple[str, ...] = ()) -> str:
    """The size of the picture and of the grid over it, and what was done to the picture."""
    line = texts.PHOTO_LINE.format(
        width=grid.image_width,
        height=grid.image_height,
        rows=grid.height,
        cols=grid.width,
        n=grid.size,
    )
    return f'<p class="note">{"<br>".join(escape(each) for each in (line, *notes))}</p>'


def colour_bar(scale: Scale, threshold: float | None, words: str) -> str:
    """A bar of colours with round numbers under it, the threshold as a line on it, and words."""
    stops = ", ".join(CIVIDIS_STOPS)
    line = ""
    if threshold is not None:
        line = f'<i style="left:{100 * scale.position(threshold):.2f}%"></i>'
    ticks = "".join(_tick(tick, scale.position(tick)) for tick in scale.ticks())
    return (
        f'<div class="bar"><div class="ramp" style="background:linear-gradient(90deg, {stops})">'
        f'{line}</div><div class="ticks">{ticks}</div></div>{note(words)}'
    )


def _tick(value: float, position: float) -> str:
    """A number under the bar, pushed inwards where it would stand over its end."""
    side = "first" if position < 0.04 else "last" if position > 0.96 else ""
    return f'<span class="{side}" style="left:{100 * position:.2f}%">{value:.6g}</span>'


def row_bar(view: QueryView, scale: Scale, largest: float, learned: bool) -> str:
    """The colour bar of a row; it prints the clip."""
    clip = texts.CLIPPED if largest > scale.high else texts.UNCLIPPED
    words = clip.format(high=number(scale.high), largest=number(largest))
    if not learned:
        return colour_bar(scale, None, words)
    threshold = texts.THRESHOLD.format(value=number(view.nonlocal_scale))
    return colour_bar(scale, view.nonlocal_scale, f"{threshold} · {words}")


def threshold_bar(view: QueryView, scale: Scale, local: bool) -> str:
    """The colour bar of a map of learned numbers, with the query's own."""
    if local:
        words = texts.LOCAL_NUMBER.format(
            scale=number(view.local_scale), threshold=number(view.local_threshold)
        )
        return colour_bar(scale, view.local_scale, words)
    words = texts.NONLOCAL_NUMBER.format(scale=number(view.nonlocal_scale))
    return colour_bar(scale, view.nonlocal_scale, words)


def group_legend(view: QueryView) -> str:
    """The colours of the groups and how many cells each holds."""
    counts = group_counts(view)
    return _legend(
        [(group.colour, texts.GROUP_NAMES[group.name], str(counts[group.name])) for group in GROUPS]
    )


def class_legend(segmentation: SegmentationView) -> str:
    """The classes that occur, largest first, with their shares of the picture."""
    labels = segmentation.working_labels
    counts = [(int((labels == i).sum()), i) for i in range(len(segmentation.classes))]
    return _legend(
        [
            (
                "#{:02x}{:02x}{:02x}".format(*segmentation.palette[i]),
                segmentation.classes[i],
                percent(count / labels.size),
            )
            for count, i in sorted(counts, key=lambda pair: -pair[0])
            if count
        ]
    )


def _legend(entries: list[tuple[str, str, str]]) -> str:
    items = "".join(
        f'<li><i style="background:{colour}"></i>{escape(name)} <b>{escape(amount)}</b></li>'
        for colour, name, amount in entries
    )
    return f'<ul class="legend">{items}</ul>'
