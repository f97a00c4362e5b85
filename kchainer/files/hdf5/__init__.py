"""HDF5 files of unknown origin: the structures Keras writes are read, all others refused.

Object headers, data types, links, attributes, chunks and filters are decoded here, so that each length is
checked before it is used. Heaps and newer B-trees are left to pyfive, which reads through a `Metadata`
that limits what it may read in all. Nothing here loads the HDF5 C library.
"""

from __future__ import annotations
