"""The models' cards as pages: every published model listed, its honest figures readable."""

from playwright.sync_api import expect

from tests.page.reader import Reader
from tests.page.stack import Stack


def test_every_published_model_is_listed_and_leads_to_its_card(reader: Reader, stack: Stack) -> None:
    listing = stack.http.get("/v1/models").json()
    names = {model["name"] for model in listing["models"]}
    reader.open("/models")
    reader.get("model-row").first.wait_for()
    leads = {
        str(link.get_attribute("href")).rsplit("/", 1)[1]
        for link in reader.page.locator('[data-testid="model-row"] a, a[data-testid="model-row"]').all()
    }
    assert names <= leads
    reader.page.locator('a[href="/models/tumor"]').first.click()
    reader.get("model-card").wait_for()


def test_a_card_says_what_for_how_good_and_where_not(reader: Reader, stack: Stack) -> None:
    for name in ("tumor", "seg-flair-film", "unet3d", "clinical"):
        reader.open(f"/models/{name}")
        card = reader.get("model-card")
        expect(card).to_contain_text(name)
        text = card.inner_text()
        assert len(text) > 300, name
        assert "[object" not in text
        assert '{"' not in text
        assert any(figure.is_visible() for figure in card.locator("svg").all()), name


def test_an_unknown_model_is_said(reader: Reader) -> None:
    reader.watch.expect("404")
    reader.open("/models/none-such")
    expect(reader.get("problem").first).to_be_visible()
