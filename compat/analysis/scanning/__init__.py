"""Scanning a tree: candidates found on raw bytes, each examined by the rules, results cached and spread over processes."""
