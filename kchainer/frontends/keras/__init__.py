"""Keras models of every release, as JSON, YAML, HDF5 and .keras."""
