"""Messages: types, models, handlers, router, queues, limits."""
