"""`python -m gateway`: serve until told to stop. Settings come from the environment."""

from gateway.app import create_app
from gateway.settings import GatewaySettings
from service_kit.serve import serve
from service_kit.settings import load_settings


def main() -> None:
    """Start the gateway."""
    settings = load_settings(GatewaySettings)
    serve(lambda: create_app(settings), settings)


if __name__ == "__main__":
    main()
