"""Name: one name moved or was renamed. Its rows say what every row says."""

meaning = "A name that moved is used."
