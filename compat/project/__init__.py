"""A project that begins or finishes a migration: what lies in it, what it needs, and what is wrong in its set-up.

survey       what there is: package, tests, CI, ledgers
insertion    text that is added to files of others without changing what they hold
first        the first ledger, drafted from the deprecations that a package already has
beginning    ``compat init``: survey, drafts and the next step joined
pipelines    ``compat ci``: the texts for GitHub, GitLab, pre-commit, nox and tox
health       ``compat doctor``: what a project's own settings have wrong
"""
