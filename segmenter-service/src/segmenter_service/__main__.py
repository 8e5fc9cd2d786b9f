"""`python -m segmenter_service`: serve until told to stop. Settings come from the environment."""

from segmenter_service.app import create_app
from segmenter_service.settings import SegmenterSettings
from service_kit.serve import serve
from service_kit.settings import load_settings


def main() -> None:
    """Start the service."""
    settings = load_settings(SegmenterSettings)
    serve(lambda: create_app(settings), settings)


if __name__ == "__main__":
    main()
