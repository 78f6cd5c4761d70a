"""One's own pictures: made smaller before they are sent, kept, offered again, and spoken of."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from asa_viz.images import NOTES, SENTENCES
from asa_viz.images.words import FRAMED

ENGLISH = dictionaries()["en"]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A photo of 48 megapixels, stored on its side: red at its top, blue at its foot."""
    coarse = np.zeros((4, 3, 3), np.uint8)
    coarse[0], coarse[1:3], coarse[3] = (220, 20, 20), (90, 160, 90), (20, 20, 220)
    upright = Image.fromarray(coarse).resize((6048, 8064), Image.Resampling.BILINEAR)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path_factory.mktemp("large") / "IMG_0001.jpg"
    upright.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=80)
    return path


def test_a_photo_of_48_megapixels_is_made_smaller_before_it_is_sent(visit, large):
    sent = []
    visit.page.on("request", lambda each: sent.append(each) if "upload" in each.url else None)
    visit.upload(large)
    assert (visit.grid.image_width, visit.grid.image_height) == (1536, 2048)
    assert sum(len(each.post_data_buffer or b"") for each in sent) < 2**20
    # Upright: the top is red.
    width, height = visit.ask("[viewer.picture.width, viewer.picture.height]")
    red, blue = visit.colour_at(width // 2, 4), visit.colour_at(width // 2, height - 5)
    assert red[0] > 180 > red[2]
    assert blue[2] > 180 > blue[0]
    reduced = ENGLISH["about.reduced"].format(width=6048, height=8064)
    expect(visit.find(".about")).to_contain_text(reduced)
    expect(visit.reload().find(".about")).to_contain_text(reduced)


def test_a_large_picture_keeps_what_is_transparent(visit, tmp_path):
    file = tmp_path / "clear.png"
    Image.new("RGBA", (2600, 1950), (10, 200, 30, 0)).save(file)
    visit.upload(file)
    assert visit.grid.image_width == 2048
    assert visit.colour_at(5, 5) == [255, 255, 255]
    expect(visit.find(".about")).to_contain_text("Transparent parts are shown on white.")


def test_a_small_picture_is_sent_as_it_is(visit, noise):
    file = noise(200, 150, seed=21)
    visit.upload(file)
    np.testing.assert_array_equal(
        visit.colour_at(100, 50), np.asarray(Image.open(file).convert("RGB"))[50, 100]
    )
    assert visit.find(".about > div").count() == 0


def test_avif_is_read_and_heic_answered_with_a_sentence(visit, noise, tmp_path):
    avif = tmp_path / "own.avif"
    Image.open(noise(300, 200)).save(avif)
    visit.upload(avif)
    assert visit.grid.image_width == 300
    heic = tmp_path / "own.heic"
    # More than may be sent: the reason is the kind of file all the same.
    heic.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(12 * 2**20))
    visit.find(".open input").set_input_files(heic)
    expect(visit.find(".status")).to_have_text(SENTENCES["IMG_HEIC"])


def test_what_was_decided_is_said_in_full_and_can_be_closed(visit, noise):
    visit.upload(noise(700, 90, seed=22))
    expect(visit.find(".about")).to_contain_text(NOTES[FRAMED])
    visit.find(".about button").click()
    expect(visit.find(".about > div")).to_have_count(0)
    assert visit.page.evaluate("document.activeElement.tagName") == "CANVAS"
    visit.set('[data-set="language"]', "zh-CN")
    expect(visit.find(".about > div")).to_have_count(0)


def test_a_picture_is_kept_even_if_its_file_goes(visit, noise, tmp_path):
    file = tmp_path / "gone.png"
    file.write_bytes(noise(220, 170, seed=26).read_bytes())
    visit.upload(file)
    file.unlink()
    assert visit.reload().grid.image_width == 220
    visit.page.wait_for_function(
        "[...document.querySelectorAll('.asa .own img')].every(({ naturalWidth }) => naturalWidth)"
    )


def test_own_pictures_are_in_the_gallery_until_they_are_forgotten(visitors, noise, tmp_path):
    visit = visitors(locale="en-AU").open()
    first, second = noise(210, 160, seed=23), noise(190, 150, seed=24)
    visit.upload(first).upload(second)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture at all")
    visit.find(".open input").set_input_files(bad)
    expect(visit.find(".status")).to_have_text(SENTENCES["IMG_UNKNOWN"])
    own = visit.reload().find(".gallery .own .thumbnail")
    expect(own).to_have_count(2)
    assert own.evaluate_all("(all) => all.map((each) => each.ariaPressed)") == ["false", "true"]
    visit.page.wait_for_function(
        "[...document.querySelectorAll('.asa .own img')].every(({ naturalWidth }) => naturalWidth)"
    )
    own.first.click()
    visit.wait("viewer.session.imageWidth === 210").settle()
    visit.find(".own .forget").click()
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[0].name).settle()
    expect(own).to_have_count(0)
    visit.reload()
    expect(own).to_have_count(0)


def test_an_own_picture_starts_at_a_telling_query(visit, noise):
    visit.upload(noise(330, 250, seed=25))
    width = visit.grid.width
    assert visit.cell.row * width + visit.cell.col == visit.ask("viewer.session.survey.start")


def test_the_classes_are_listed_before_a_picture_is_opened(visit):
    knows = visit.find(".knows details")
    assert knows.locator("summary").inner_text() == "Knows 4 classes"
    assert not knows.locator("p").is_visible()
    knows.locator("summary").click()
    for name in ("sky", "building", "road", "tree"):
        assert name in knows.inner_text()


def test_a_picture_that_is_far_from_what_the_network_knows_is_said_to_be(visit):
    """The fake's sessions have no sureness: it is set where the worker would set it."""
    for sureness, told in ((0.4, True), (0.9, False)):
        visit.page.evaluate(
            """(sureness) => {
              asaViz.session.survey.sureness = sureness;
              Object.assign(asaViz.host.networks[0], { name: asaViz.session.network, sure: 0.7 });
              asaViz.element.dispatchEvent(new CustomEvent("asa:opened"));
            }""",
            sureness,
        )
        expect(visit.find(".about .far")).to_have_count(int(told))
    assert visit.find(".about").inner_text() == ""
