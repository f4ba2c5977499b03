"""The subcommands, one file each; :mod:`compat.cli.table` lists them."""
