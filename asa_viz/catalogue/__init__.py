"""The catalogue of attention designs: facts, references and texts of each method, by family."""

from asa_viz.catalogue.methods import METHODS

__all__ = ["METHODS"]
