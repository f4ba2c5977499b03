"""Source files: found, read, decoded, lexed and parsed."""
