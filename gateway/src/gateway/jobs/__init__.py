"""What Redis keeps."""
