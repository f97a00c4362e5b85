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

# ------------------------------------------------------------------ what else is not read, by kind

STEPS = "its rule is TensorFlow's own, of which the file says nothing"
OF_BACKEND = "a base class that Keras mixes into another"
SCRATCH = "a reduction that the training loop of Keras makes for itself"
RARE = "an experiment of tf.keras, which Keras 3 has not"
NOISY = "its rates are random: two runs of the same training differ"
QUANTIZED = "quantised weights are not read"
COMPLEX = "complex numbers are not computed"
CALLS_CODE = "it calls a function of the file, which is never run"
UNDEFINED = "its values, or their order, are left open: backends give different ones"
BYTES = "it reads the bits of values as of another dtype"
PIVOTS = "NumPy has no such factors: solve, det and inv are read"
BY_VALUES = "the shape of its result depends on values"
CONSTANT = "it takes no value of the network: Keras stores its result, not its call"
SCORES = "a loss: the compiled loss is read"
AS_LAYER = "the layer of that name is read; its operation on arrays of the file is not"

_OTHERS: dict[str, dict[str, str]] = {
    "optimizer": {
        STEPS: "TFOptimizer RestoredOptimizer",
        OF_BACKEND: "JaxOptimizer TorchOptimizer TorchParallelOptimizer",
    },
    "schedule": {NOISY: "NoisyLinearCosineDecay"},
    "loss": {"the function that it wraps is read": "LossFunctionWrapper"},
    "metric": {
        SCRATCH: "Reduce SumOverBatchSize SumOverBatchSizeMetricWrapper MeanMetricWrapper SensitivitySpecificityBase",
        RARE: "MeanRelativeError MeanTensor PyMetric",
    },
    "initializer": {BASE: "RandomInitializer"},
    "regularizer": {TESTING: "IdentityRegularizer ReduceSumRegularizer"},
    "constraint": {},
    "activation_fn": {"Keras cannot call it by name: its arguments have no defaults": "threshold"},
    "dtype_policy": {
        QUANTIZED: """
            AWQDTypePolicy GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy QuantizedFloat8DTypePolicy""",
    },
    "quantization_config": {
        QUANTIZED: "AWQConfig Float8QuantizationConfig GPTQConfig Int4QuantizationConfig Int8QuantizationConfig",
    },
    "op": {
        COMPLEX: "Eig Polar ViewAsComplex ViewAsReal",
        CALLS_CODE: """
            AssociativeScan Cond CustomGradientFunction ForiLoop Functional JVP Map Scan Switch VectorizedMap
            WhileLoop""",
        BY_VALUES: "Bincount Nonzero Unique",
        CONSTANT: """
            Arange Bartlett Blackman Empty Eye Full Geomspace Hamming Hanning Identity Kaiser Linspace Logspace
            Meshgrid Ndim Ones Tri Zeros""",
        SCORES: """
            BinaryCrossentropy CTCDecode CTCLoss CategoricalCrossentropy CtcLoss PSNR SSIM
            SparseCategoricalCrossentropy""",
        AS_LAYER: """
            AdaptiveAveragePool AdaptiveMaxPool BatchNorm Conv ConvTranspose DepthwiseConv ElasticTransform
            GaussianBlur LayerNorm PerspectiveTransform RMSNorm SeparableConv""",
        UNDEFINED: "Argpartition EmptyLike",
        BYTES: "View",
        PIVOTS: "LuFactor",
        BASE: "SegmentReduction",
        LATER: "Correlate FakeQuantWithMinMaxVars ReLU ScaleAndTranslate SobelEdges",
    },
}
# Kind -> class -> why it is not read. A name that is read by now is passed over.
OTHERS: dict[str, dict[str, str]] = {
    kind: {name: reason for reason, names in table.items() for name in names.split()}
    for kind, table in _OTHERS.items()
}
