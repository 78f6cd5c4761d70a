"""Sessions in notebooks: as a page in a frame, as a widget, and for attention from any model."""
