"""Encode and rerun borrow a Space's GPU where there is one; elsewhere they are as they are."""

import pickle
import sys
import types
from dataclasses import replace
from importlib.machinery import ModuleSpec

import pytest

from app import torch_imports
from app.gallery import EXAMPLES
from app.networks import Networks
from app.shared_gpu import on_shared_gpu
from asa_viz.attention.what_if import WhatIf
from asa_viz.images import Picture
from tests.fakes import fake_session


class Network:
    card = types.SimpleNamespace(shapes=((60, 80),))

    def encode(self, picture):
        assert isinstance(picture, Picture)
        return fake_session()

    def rerun(self, session, what_if):
        return replace(session.segmentation, working_labels=session.segmentation.working_labels + 1)


@pytest.fixture
def borrowed(monkeypatch):
    """What runs on the GPU of a stand-in for `spaces`, which hands things over as the real does."""
    calls = []

    def gpu(function):
        def call(*asked):
            calls.append(function.__name__)
            return pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(asked)))))

        return call

    spaces = types.ModuleType("spaces")
    spaces.GPU = gpu
    spaces.__spec__ = ModuleSpec("spaces", None)
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    return calls


def ask(monkeypatch):
    monkeypatch.setattr(torch_imports, "load", lambda name, device: Network())
    networks = Networks(None)
    session = networks.encode(EXAMPLES[0].path, "asa")
    return session, networks.rerun(session, WhatIf())


def test_encode_and_rerun_borrow_the_gpu_and_answer_the_same(monkeypatch, borrowed):
    session, after = ask(monkeypatch)
    assert borrowed == ["_encode_loaded", "_rerun_loaded"]
    assert (after.working_labels == session.segmentation.working_labels + 1).all()
    assert session.grid == fake_session().grid


def test_what_is_to_borrow_it_is_said_before_the_page_is_served(monkeypatch):
    said = []
    monkeypatch.setattr("app.networks.on_shared_gpu", lambda call: said.append(call.__name__))
    Networks(None)
    assert said == ["_encode_loaded", "_rerun_loaded"]


def test_elsewhere_a_function_stays_itself():
    assert on_shared_gpu(ask) is ask
