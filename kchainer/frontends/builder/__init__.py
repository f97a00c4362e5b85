"""Models written in Python, in the manner of Keras or of chainer-sequential."""
