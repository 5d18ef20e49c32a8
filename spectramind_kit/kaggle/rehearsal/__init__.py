"""A dry run on this machine: a kernel under Kaggle's conditions, before anything is pushed."""
