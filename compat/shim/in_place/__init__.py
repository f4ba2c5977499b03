"""Observes what stays where it is, and takes the observation off again.

members   functions, methods, properties, attributes of classes, members of enumerations
classes   construction and subclassing of a class, which stays the same object
modules   imports of a module, and constants in it
marking   deprecated(), the decorator for those who want the mark at the definition
"""
