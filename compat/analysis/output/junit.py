"""JUnit XML: one test case per finding, failed; one passed case where there are none."""

from __future__ import annotations

import re
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from . import Report

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write(report: Report, stream: IO[str]) -> None:
    """Write one test suite."""
    count = len(report.findings)
    stream.write('<?xml version="1.0" encoding="utf-8"?>\n')
    stream.write(f'<testsuites><testsuite name="compat scan" tests="{max(count, 1)}" failures="{count}" errors="0">\n')
    for finding in report.findings:
        place = f"{finding.path}:{finding.line}:{finding.column}"
        stream.write(f"  <testcase classname={_attribute(finding.path)} name={_attribute(f'{finding.rule} at {place}')}>")
        stream.write(f"<failure type={_attribute(finding.rule)} message={_attribute(finding.message)}>")
        stream.write(f"{escape(_clean(f'{place}: {finding.code}'))}</failure></testcase>\n")
    if not count:
        stream.write('  <testcase classname="compat" name="no findings"/>\n')
    stream.write("</testsuite></testsuites>\n")


def _clean(value: str) -> str:
    return _CONTROL.sub("?", value)


def _attribute(value: str) -> str:
    return quoteattr(_clean(value))
