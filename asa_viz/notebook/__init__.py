"""Sessions in notebooks: as a page in a frame, as a widget, and of attention from anywhere."""
