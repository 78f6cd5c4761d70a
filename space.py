"""Open the page on a Hugging Face Space, which runs a file at the root and no module."""

from app.__main__ import main

if __name__ == "__main__":
    main()
