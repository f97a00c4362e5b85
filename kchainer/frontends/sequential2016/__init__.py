"""Files of chainer-sequential (2016 and 2017): read, never written."""
