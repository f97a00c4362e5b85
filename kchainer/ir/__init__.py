"""The intermediate representation: ops, graphs and lazy arrays. Knows no file format and no Chainer."""
