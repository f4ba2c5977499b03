"""Follow classes through more than a name: factories, subclasses, loops, containers, and the other files of the tree."""
