class Amount:
    def __init__(self, cents):
        self.cents = cents
