"""Compile the kernels in place: `python -m asa_viz.attention.native`."""

from asa_viz.attention.native.build import build, compiler

if __name__ == "__main__":
    made = build()
    for path in made:
        print(path)
    if not made:
        found = " ".join(compiler())
        print(f"{found} cannot compile the kernels." if found else "There is no C compiler.")
    raise SystemExit(not made)
