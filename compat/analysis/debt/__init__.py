"""Known and permitted debt: baseline, suppressions, compliance, fragmentation."""
