"""The page with sessions that need no network, as a process of its own: killed and started again.

python -m tests.browser.served --port PORT, with the folder as for the page, in GRADIO_TEMP_DIR.
"""

from app import __main__ as page
from app import networks
from tests.browser.conftest import encode, rerun


class Networks:
    """Stands in for the networks that ship."""

    def __init__(self, device):
        pass

    def warm_up(self, name, readiness=None):
        pass

    def attempt(self, name):
        pass

    def encode(self, file, name):
        return encode(file, name)

    def rerun(self, session, what_if):
        return rerun(session, what_if)


if __name__ == "__main__":
    networks.Networks = Networks
    page.available = lambda: ["asa", "dense"]
    page.damaged_networks = list
    page.has_heads = lambda: False
    page.main()
