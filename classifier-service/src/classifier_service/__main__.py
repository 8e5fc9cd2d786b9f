"""`python -m classifier_service`: serve until told to stop. Settings come from the environment."""

from classifier_service.app import create_app
from classifier_service.settings import ClassifierSettings
from service_kit.serve import serve
from service_kit.settings import load_settings


def main() -> None:
    """Start the service."""
    settings = load_settings(ClassifierSettings)
    serve(lambda: create_app(settings), settings)


if __name__ == "__main__":
    main()
