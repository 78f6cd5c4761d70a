"""The other attention designs as decode heads, with readers of their attention."""
