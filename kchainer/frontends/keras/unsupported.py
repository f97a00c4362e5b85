"""Classes of Keras that are not read, and why: hints of diagnostics, and a part of docs/support.md."""

from __future__ import annotations

LATER = "not read yet"
STRINGS = "an experiment of a few releases of TensorFlow, which no Keras reads any more"
LOSSES = "it adds a loss or a metric by code that the file does not hold: take it out, outputs do not need it"
BUNDLE = "a bundle of other layers: save the model that its `get_encoded_features` makes"
CODE = "it holds or calls code, which is never run"
BASE = "a base class, of which Keras writes no file"
TESTING = "a class of Keras's own tests, of which no file is known"
ESTIMATORS = "a whole model of its own kind, not a layer"
OLD_TENSORFLOW = "a cell or wrapper of TensorFlow 1's contrib, which Keras reads only with TensorFlow"

_BY_REASON: dict[str, str] = {
    LATER: """
        ConvLSTM2DCell ConvLSTMCell PeepholeLSTMCell TimeDistributedMerge MaskedLayer""",
    STRINGS: """
        CategoryCrossing IndexLookup DynamicEmbedding DynamicLookup""",
    LOSSES: "AddLoss AddMetric",
    BUNDLE: "FeatureSpace",
    CODE: """
        Lambda LambdaMerge MaskedLambda TFSMLayer TorchModuleWrapper JaxLayer FlaxLayer ModuleWrapper ReloadedLayer
        InstanceMethod InstanceProperty ClassMethod TensorFlowOpLayer SmallSubclassMLP""",
    BASE: """
        AbstractRNNCell BaseAdaptiveAveragePooling BaseImageAugmentationLayer BaseImagePreprocessingLayer BaseAdaptiveMaxPooling BaseAdaptivePooling BaseConv
        BaseConvTranspose BaseDenseAttention BaseDepthwiseConv BaseGlobalPooling BasePooling BaseRandomLayer
        BaseSeparableConv BaseSpatialDropout BatchNormalizationBase CombinerPreprocessingLayer Container Conv ConvLSTM
        ConvRNN ConvRNN2D ConvRecurrent2D DataLayer DepthwiseConv GlobalPooling1D GlobalPooling2D GlobalPooling3D
        LayerRNNCell Network Pooling1D Pooling2D Pooling3D PreprocessingLayer PreprocessingStage
        FunctionalPreprocessingStage Recurrent RNNCell SeparableConv TFDataLayer Wrapper Layer""",
    TESTING: """
        AssertTypeLayer Bias DistributedCallbackModel MultiplyLayer MultiplyLayerWithoutAutoCast Reduction
        TFDConcat TFDIdentity ThresholdedLinear""",
    ESTIMATORS: """
        AutoEncoder Siamese SiameseHead Distiller LinearModel WideDeepModel SharpnessAwareMinimization""",
    OLD_TENSORFLOW: """
        BasicLSTMCell BasicRNNCell DeviceWrapper DropoutWrapper MultiRNNCell ResidualWrapper""",
}
UNSUPPORTED: dict[str, str] = {name: reason for reason, names in _BY_REASON.items() for name in names.split()}
