"""Import blocks after a rewrite: read, merged, sorted, and parsed again where they were touched."""
