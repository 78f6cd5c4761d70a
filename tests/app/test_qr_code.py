"""A class finds the page: by an address of the network, and by a code that a phone reads."""

import asyncio
import re
import socket

import cv2
import numpy as np
import pytest

from app import __main__ as main
from app.handlers import MOST_LETTERS, Answers
from app.qr_code import invitation
from app.server import address
from app.server.address import AddressError, room_url_of

URL = "http://192.168.1.20:7860"


def read(text):
    """The code as a phone reads it: each character is two points, one above the other."""
    lines = text.split("\n")[: -len(URL.split("\n")) - 1]
    upper, lower = {" ": 0, "▀": 1, "▄": 0, "█": 1}, {" ": 0, "▀": 0, "▄": 1, "█": 1}
    lines = [line for line in lines if line and set(line) <= set(upper)]
    points = [[table[each] for each in line] for line in lines for table in (upper, lower)]
    # Terminals are dark: what is drawn is the light part of the code.
    image = np.kron(np.array(points, np.uint8) * 255, np.ones((8, 8), np.uint8))
    return cv2.QRCodeDetector().detectAndDecode(np.pad(image, 40, constant_values=255))[0]


def test_the_code_says_the_address():
    text = invitation(URL, "utf-8")
    assert read(text) == URL
    assert URL in text.split("\n")


def read_svg(text):
    """The text in a code whose path is strokes of one module's height, each from the last point."""
    (path,) = re.findall(r'class="qrline"[^>]* d="([^"]+)"', text)
    size = int(re.search(r'width="(\d+)"', text)[1]) // 8
    modules, x, y = np.full((size, size), 255, np.uint8), 0.0, 0.0
    for kind, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", path):
        if kind == "h":
            modules[int(y), int(x) : int(x) + int(first)] = 0
            x += float(first)
        else:
            start = (0.0, 0.0) if kind == "M" else (x, y)
            x, y = start[0] + float(first), start[1] + float(second)
    return cv2.QRCodeDetector().detectAndDecode(np.kron(modules, np.ones((8, 8), np.uint8)))[0]


def test_the_page_gets_the_code_of_a_link_and_of_nothing_else():
    link = f"{URL}/?picture=dogs&lesson=6&at=120.80&lock=1"
    answers = Answers(None, None, [], None)
    told = asyncio.run(answers.qr({"text": link}))
    assert told["ok"]
    assert read_svg(told["svg"]) == link
    for wrong in ({}, None, {"text": ""}, {"text": 5}, {"text": "x" * (MOST_LETTERS + 1)}):
        assert asyncio.run(answers.qr(wrong)) == {"ok": False, "error": "error.failed"}


def test_a_terminal_without_blocks_gets_it_in_what_it_has():
    invitation(URL, "ascii").encode("ascii")


def test_the_address_is_one_of_the_network(monkeypatch):
    class Outwards(socket.socket):
        host = "192.168.1.20"

        def connect(self, place):
            if self.host == address.UNKNOWN:
                raise OSError("Network is unreachable")

        def getsockname(self):
            return self.host, 1

    with address.listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setattr(address.socket, "socket", Outwards)
        assert room_url_of(listening) == f"http://192.168.1.20:{port}"
        for nowhere in (address.UNKNOWN, "127.0.0.1"):
            monkeypatch.setattr(Outwards, "host", nowhere)
            with pytest.raises(AddressError, match="no network"):
                room_url_of(listening)


def test_only_for_a_class_the_page_is_opened_to_the_network(monkeypatch, tmp_path):
    heard = []

    def listen(host, port):
        heard.append(host)
        raise AddressError("so far")

    monkeypatch.setattr(main, "listen", listen)
    for arguments in ([], ["--class"], ["--class", "--host", "192.168.1.20"]):
        with pytest.raises(SystemExit, match="so far"):
            main.main(arguments)
    assert heard == [None, "0.0.0.0", "192.168.1.20"]
