"""The shipped ledger, and the old classes over canonical instances.

rows     what moved, one table per family
ledger   LEDGER, built of all rows
"""
