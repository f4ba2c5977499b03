"""What stands at legacy paths.

finder       answers for legacy modules where nothing real does
loader       loads them
modules      their objects, and the specs that see every importer
descriptors  counted attributes of modules
overlay      single names of modules that still exist
imports      which import statement is a use of which module
targets      resolves canonical paths, late and by name
installed    a ledger in force
"""
