"""Models that users bring: any class with ``fit`` and ``predict``, or a torch module, by the name of where it lies."""
