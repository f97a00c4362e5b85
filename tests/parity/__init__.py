"""Agreement with Keras, case by case."""
