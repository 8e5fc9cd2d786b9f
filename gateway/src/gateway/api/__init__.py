"""HTTP, and nothing else: from requests to the pipeline and the store, and back."""
