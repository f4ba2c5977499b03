"""What a source file means: scopes, receivers, references, and the targets that a ledger's rows name."""
