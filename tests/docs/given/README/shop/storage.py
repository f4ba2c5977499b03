class Store:
    timeout = 3.0

    def __init__(self):
        self.opened = []

    def open(self, name):
        self.opened.append(name)
        return name

    def close(self):
        self.opened.clear()


def get_store():
    return Store()
