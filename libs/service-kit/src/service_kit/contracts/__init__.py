"""What crosses a service boundary, in pure pydantic."""
