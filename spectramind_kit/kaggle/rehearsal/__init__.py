"""The dry run here: a kernel under Kaggle's conditions, before anything is pushed."""
