"""Writes the cards of the networks that ship for people, in Markdown.

The sections are those of Mitchell et al., Model Cards for Model Reporting (FAT* 2019, arXiv
1810.03993), as far as the cards beside the weights have what they ask for.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from asa_viz.checkpoints import FOLDER, available, twin_of
from asa_viz.networks.checkpoint import Card

_HEAD = """# Model cards

The networks that ship, from the cards beside their weights (`checkpoints/*.json`), by
`python -m asa_viz.networks.model_cards docs/models.md`. What the figures mean and how they were
measured: [results](results.md).

**Meant for** seeing what attention reads, in teaching and research. **Not meant for** decisions
about people or in traffic: these are small networks whose heads were trained for some hundred
steps, and a class that they name is often wrong. Where the photographs of the training data were
taken is not recorded, and whom they show was not counted: how the networks differ between places
and people was not measured.
"""
_TRAINING = (("data", "Trained on"), ("schedule", "Schedule"), ("seed", "Seed"), ("start", "Start"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.networks.model_cards")
    parser.add_argument("file", type=Path, help="where to write the page")
    parser.parse_args(arguments).file.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page of all networks in Markdown."""
    names = available()
    sections = [section(Card.read(FOLDER / f"{name}.json"), names) for name in names]
    return "\n".join([_HEAD, *sections])


def section(card: Card, names: list[str]) -> str:
    """Return the section of one network; `names` are all that ship, its twin among them."""
    twin = twin_of(card.name, names)
    is_sparse = card.model["decode_head"]["type"] == "ASAHead"
    attention = "adaptive sparse (ASA)" if is_sparse else "dense (non-local)"
    lines = [
        f"## {card.name}",
        "",
        f"- **Attention**: {attention}, read only" + (f"; twin: `{twin}`" if twin else ""),
        f"- **Classes**, {len(card.classes)}: {', '.join(card.classes)}",
        *(
            f"- **{title}**: {card.training[key]}"
            for key, title in _TRAINING
            if key in card.training
        ),
        f"- **Licence of the weights**: {card.licence}",
        "",
        *_figures(card),
        "",
    ]
    return "\n".join(lines)


def _figures(card: Card) -> Iterator[str]:
    figures = card.metrics["val"]
    without = figures["without_attention"]
    yield "| on val | as trained | without attention |"
    yield "| --- | --- | --- |"
    for key, name in (
        ("mIoU_scored", "mIoU of the scored classes"),
        ("mIoU", "mIoU of all labelled classes"),
        ("pixel_accuracy", "pixel accuracy"),
    ):
        yield f"| {name} | {figures[key]:.3f} | {without[key]:.3f} |"
    yield ""
    classes = sorted(figures["IoU"].items(), key=lambda item: -item[1])
    shares = ", ".join(f"{name} {value:.3f}" for name, value in classes)
    yield f"{figures['pictures']} pictures. IoU by class, best first: {shares}."


if __name__ == "__main__":
    main()
