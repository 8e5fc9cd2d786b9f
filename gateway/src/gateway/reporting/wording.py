"""How reports and pictures call things."""


def label_words(name: str) -> str:
    """A label's name as it is read: "necrotic_core" is "Necrotic core"."""
    return name.replace("_", " ").capitalize()
