"""Delete from a library's own source what is due: rows, adapters, tombstones, deprecated definitions, with what only they used.

tree      the files, their names and what they bind
rows      where rows are written, and which of them are due
symbols   the definitions that due rows name, and who else uses them
cutting   the edits that take statements, list elements and imported names out of a file
pruner    all of it, planned first, written whole or not at all
"""
