"""Several processes over Redis: backplane, connection, publisher."""
