"""Where the published models are."""

from pathlib import Path


def find_models_dir() -> Path:
    """The model repository: `./models`, else the one of the checkout that this package is installed from.

    Raises:
        FileNotFoundError: when neither is there.
    """
    for folder in (Path("models"), Path(__file__).resolve().parents[4] / "models"):
        if folder.is_dir() and any(folder.glob("*/manifest.json")):
            return folder.resolve()
    raise FileNotFoundError("no model repository: give --models-dir, a folder with <name>/manifest.json in it")
