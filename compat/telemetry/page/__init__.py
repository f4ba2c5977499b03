"""The usage page: HTML, its chart, and the server that shows it live."""
