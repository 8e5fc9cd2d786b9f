"""`python -m metadata_service`: serve until told to stop. Settings come from the environment."""

from metadata_service.app import create_app
from metadata_service.settings import MetadataSettings
from service_kit.serve import serve
from service_kit.settings import load_settings


def main() -> None:
    """Start the service."""
    settings = load_settings(MetadataSettings)
    serve(lambda: create_app(settings), settings)


if __name__ == "__main__":
    main()
