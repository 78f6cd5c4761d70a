"""The page: what a pixel of a segmentation network attends to."""
