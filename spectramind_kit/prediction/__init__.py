"""From one planet's files to its spectrum: all that an answer needs; never imports training."""
