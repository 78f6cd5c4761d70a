"""Draws views as images and Plotly figures; tensors do not enter this package."""
