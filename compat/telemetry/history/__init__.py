"""The usage history: an SQLite file, how dead processes' segments are folded into it, and the questions put to it."""
