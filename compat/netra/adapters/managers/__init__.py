"""The legacy WebSocket managers: many users behind one object, each with a canonical manager of their own."""
