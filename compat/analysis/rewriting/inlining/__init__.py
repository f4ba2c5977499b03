"""Inline replacements that are code: a call of a legacy function becomes the expression of its row, or of its own body.

templates   which expression serves a target
bodies      reads the expression from the body of a thin wrapper
values      what is known of one call
binding     which argument of a call is which parameter
effects     whether each argument is still evaluated once and in order
writing     the edits of one call
imports     what the names of an expression are called in a file
uses        calls by imported names, by modules and by receivers
"""
