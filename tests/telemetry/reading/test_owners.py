"""CODEOWNERS, by its own syntax: the last rule that matches counts."""

from __future__ import annotations

import pytest

from compat.telemetry.report.owners import NOBODY, Owners, owners_of, parse_codeowners, rules_of

# The examples of GitHub's documentation, and some of its small print.
TEXT = """
# This is a comment.
*       @global-owner1 @global-owner2

*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @docs
/scripts/ @doctocat @octocat
**/logs @logger
/apps/github
/a\\ b/*.py @spaces
src/**/deep @deep
tool?.py @tools
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README", "@global-owner1 @global-owner2"),
        ("web/app.js", "@js-owner"),
        ("main.go", "docs@example.com"),
        ("a/b/c.txt", "@octo-org/octocats"),
        ("build/logs/x/y", "@logger"),
        ("build/logs.py", "@global-owner1 @global-owner2"),
        ("x/build/logs2/y", "@global-owner1 @global-owner2"),
        ("docs/start.md", "@docs"),
        ("docs/build/start.md", "@docs"),
        ("x/docs/start.md", "@global-owner1 @global-owner2"),
        ("apps/main.py", "@octocat"),
        ("some/apps/deep/main.py", "@octocat"),
        ("apps/github/x.py", NOBODY),
        ("apps/github2/x.py", "@octocat"),
        ("scripts/run", "@doctocat @octocat"),
        ("deeply/nested/logs/x", "@logger"),
        ("a b/x.py", "@spaces"),
        ("a b/c/x.py", "@global-owner1 @global-owner2"),
        ("src/deep/x.py", "@deep"),
        ("src/a/b/deep/x.py", "@deep"),
        ("x/tool1.py", "@tools"),
        ("x/tool12.py", "@global-owner1 @global-owner2"),
    ],
)
def test_the_last_rule_that_matches_counts(path, owners):
    assert owners_of(path, parse_codeowners(TEXT)) == owners


def test_a_pattern_of_files_in_a_directory_says_nothing_of_deeper_ones():
    rules = parse_codeowners("docs/* @docs")
    assert (owners_of("docs/a.md", rules), owners_of("docs/b/a.md", rules)) == ("@docs", NOBODY)


def test_sections_of_gitlab_count_each_by_itself():
    rules = parse_codeowners("* @all\n[Docs] @writers\ndocs/\n*.md @editors\n^[Data][2] @dba\n*.sql\n")
    assert owners_of("docs/a.py", rules) == "@all @writers"
    assert owners_of("docs/a.md", rules) == "@all @editors"
    assert owners_of("x/a.sql", rules) == "@all @dba"


def test_a_table_in_the_same_syntax():
    rules = rules_of({"src/": "@a", "src/shop/": ["@b", "@c"]})
    assert [owners_of(path, rules) for path in ("src/x.py", "src/shop/x.py", "y.py")] == ["@a", "@b @c", NOBODY]


def test_a_counted_file_is_found_in_the_repository_where_only_one_is_meant():
    files = ["services/shop/app/main.py", "services/mail/app/main.py", "services/mail/app/send.py", "top.py"]
    owners = Owners(parse_codeowners("/services/shop/ @shop\n/services/mail/ @mail\n/top.py @top"), files)
    assert owners("app/send.py") == "@mail"
    assert owners("shop/app/main.py") == "@shop"
    assert owners("/home/ann/repo/services/shop/app/main.py") == "@shop"
    assert owners("app\\send.py") == "@mail"
    assert owners("top.py") == "@top"
    assert owners("app/main.py") == NOBODY, "two are meant"
    assert owners("elsewhere.py") == NOBODY
