"""The model of one source file: scopes and bindings, references to legacy paths, receiver types, doctests."""
