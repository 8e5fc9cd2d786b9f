"""The gateway's ways to the three model services, over one HTTP client."""
