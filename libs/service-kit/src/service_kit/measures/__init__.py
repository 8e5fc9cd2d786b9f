"""Pure geometry of outlines, measured the same where models are served and where they are judged."""
