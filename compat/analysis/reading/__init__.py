"""Source files: found, prefiltered, read, lexed, cached."""
