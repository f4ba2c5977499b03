"""Audit: no public name of a package may vanish or change between two versions without a row.

sources    brings a version: a directory, a revision of git, a release
surface    one version's public names, by griffe, and where each is
breaks     what differs, by griffe, as paths that rows name
covering   which row covers what
drafting   rows for the rest: what moved and what was renamed is recognised
"""
