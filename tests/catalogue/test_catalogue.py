"""What the records say: every setting is printed, and no note has a number of its own."""

import re
from string import Formatter

import pytest

from asa_viz.catalogue.method import LANGUAGES, Method, texts
from asa_viz.catalogue.methods import METHODS

# Of ASA's own family only DGMN has its settings printed from its head's.
NOT_TIED = {name for name, method in METHODS.items() if method.family == "content"} - {"dgmn"}
# 0, 1 and two count the parts of a design; a larger number, or a fraction, is a setting.
LARGER = re.compile(
    r"[2-9]|\d\d|\d\.\d|\b(?:three|four|five|six|seven|eight|nine|ten)(?:th|s)?\b|[三四五六七八九]"
)


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", METHODS)
def test_a_note_prints_settings_and_no_number_of_its_own(name, language):
    note, method = texts(language)[f"{name}.note"], METHODS[name]
    assert holes(note) == holes(texts("en")[f"{name}.note"])
    assert holes(note) <= set(method.settings)
    assert "{" not in method.note[language]
    if name not in NOT_TIED:
        assert not LARGER.findall(re.sub(r"\{\w+\}", "", note))


# What a formula, a support or a cost counts that no setting decides: the four cells that a
# bilinear sample lies between, a quarter of the cells on a map of half the size, the 2 of Gaussians
# and roots.
STRUCTURE = {
    "dgmn": {4},
    "pyramid_pooling": {4},
    "psanet_collect": {4, 16},
    "psanet_distribute": {4, 16},
    "beyond_grids": {2},
    "sgr": {2},
    "bilateral": {2},
    "mean_shift": {2},
}


def numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"\d+", text)} - {0, 1}


def beside_the_note(method: Method) -> str:
    supports = f"{method.support_per_pass.text} {method.effective_support.text}"
    return f"{method.formula} {supports} {method.cost}"


@pytest.mark.parametrize("name", sorted(set(METHODS) - NOT_TIED))
def test_numbers_beside_the_note_are_settings_or_products_of_two(name):
    method = METHODS[name]
    settings = numbers(" ".join(map(str, method.settings.values())))
    follows = settings | {a * b for a in settings for b in settings}
    assert numbers(beside_the_note(method)) <= follows | STRUCTURE.get(name, set())


@pytest.mark.parametrize("name", METHODS)
def test_every_setting_is_printed(name):
    method = METHODS[name]
    printed = numbers(f"{beside_the_note(method)} {method.note['en']}")
    assert all(numbers(str(value)) <= printed for value in method.settings.values())


def test_a_setting_reaches_the_note_in_every_language():
    for language in LANGUAGES:
        assert "0.05" in METHODS["dnl"].note[language]
        assert "64" in METHODS["emanet"].note[language]
        assert "32 × 32" in METHODS["synthesizer_dense"].note[language]
