class Cart:
    def __init__(self):
        self.lines = []

    def add(self, name, quantity=1):
        self.lines.append((name, quantity))
        return len(self.lines)

    def count(self):
        return len(self.lines)
