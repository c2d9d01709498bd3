"""The nets by name: what is known of each without torch. A new one is a file `cnn/models/<name>.py` and an entry here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL_A, MODEL_B, BASELINE, AUTOENCODER = "Model A", "Model B", "baseline", "autoencoder"
SEES = ("picture", "differences")  # the picture alone, or with its differences along time and frequency
NORMS = ("batch", "none")  # after each convolution of a spelled net
SPELLED = "stack"  # the net that `model.stack` spells
PAIR = ("lenet5", "columns")  # Model A and the Model B that `--all` trains
FORMER_PAIR = ("lenet5", "resnet")  # until December 2026


@dataclass(frozen=True, slots=True)
class Net:
    """One net; its class is called with (ModelSettings, size, n_classes)."""

    class_name: str
    role: str
    paper: str  # as a text cites it
    reference: str  # its line among the references
    origin: Mapping[str, str]  # the same in two words, by language
    depth: int  # by default
    depths: tuple[int, int]  # least and most
    counts: str  # what `depth` counts
    activation: str = "relu"  # the paper's own
    width: float = 1.0  # by default
    sees: str = "picture"  # by default; one of SEES
    hidden: tuple[int, ...] = ()  # widths of its hidden layers, where it obeys `model.hidden`: `depth` takes the first
    dropout: float = 0.2  # by default
    recipe: Mapping[str, object] = field(default_factory=dict)  # settings of `train` that are this net's own defaults
    module: str = ""  # in `cnn.models`, where it is another net's
    has_first_stage: bool = True  # begins with `blocks.FirstStage`, which obeys `model.sees`
    spelling: str = ""  # its layers, of a net that is no more than them
    norm: str = "batch"  # a spelled net's default; one of NORMS
    differs: Mapping[str, str] = field(default_factory=dict)  # a spelled net from its paper, by language

    @property
    def is_classifier(self) -> bool:
        """True of a net that answers with a class; an autoencoder answers with a picture."""
        return self.role != AUTOENCODER

    def find_module(self, name: str) -> str:
        """Return the file's name in `cnn.models` of the net `name`: spelled ones share one, and twins."""
        return SPELLED if self.spelling else self.module or name


_LENET = (
    "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: "
    "Gradient-based learning applied to document recognition. Proceedings of the IEEE 86(11), 1998."
)
_VGG = "K. Simonyan, A. Zisserman: Very deep convolutional networks for large-scale image recognition. ICLR 2015."


_SMALL_VGG = {
    "en": "a quarter of the maps, batch normalisation, dropout once",
    "es": "un cuarto de los mapas, normalización por lotes, dropout una vez",
}


def _spell(paper: str, reference: str, origin: Mapping[str, str], spelling: str, **more: Any) -> Net:
    """Return a net that `cnn.models.stack` builds as it is spelled, with the paper's maps."""
    fixed = "nothing: the spelling has every layer"
    return Net("Stack", MODEL_B, paper, reference, origin, 1, (1, 1), fixed, has_first_stage=False, spelling=spelling, **more)


_BACKPROPAGATION = (
    "D. E. Rumelhart, G. E. Hinton, R. J. Williams: Learning representations by back-propagating errors. Nature 323, 1986."
)

NETS = {
    "lenet5": Net(
        "LeNet5",
        MODEL_A,
        "LeCun et al. 1998",
        reference=_LENET,
        origin={"en": "after LeNet-5", "es": "según LeNet-5"},
        depth=2,
        depths=(2, 4),
        counts="stages of convolution and pooling",
        width=2.0,
        sees="differences",
    ),
    "resnet": Net(
        "ResNet",
        MODEL_B,
        "He et al. 2016",
        reference="K. He, X. Zhang, S. Ren, J. Sun: Deep residual learning for image recognition. CVPR 2016.",
        origin={"en": "a small ResNet", "es": "una ResNet pequeña"},
        depth=1,
        depths=(1, 4),
        counts="residual blocks in each of three stages",
        width=2.0,
    ),
    "columns": Net(
        "Columns",
        MODEL_B,
        "Cireşan et al. 2012",
        reference="D. Cireşan, U. Meier, J. Schmidhuber: Multi-column deep neural networks for image classification. "
        "CVPR 2012.",
        origin={"en": "a multi-column net", "es": "una red de varias columnas"},
        depth=3,
        depths=(1, 6),
        counts="columns: LeNet-5 and a small ResNet in turn",
        width=2.0,
        sees="differences",
    ),
    "densenet": Net(
        "DenseNet",
        MODEL_B,
        "Huang et al. 2017",
        reference="G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger: Densely connected convolutional networks. CVPR 2017.",
        origin={"en": "a small DenseNet", "es": "una DenseNet pequeña"},
        depth=3,
        depths=(1, 8),
        counts="layers in each of three dense blocks",
    ),
    "mobilenet": Net(
        "MobileNet",
        MODEL_B,
        "Sandler et al. 2018",
        reference="M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen: "
        "MobileNetV2: inverted residuals and linear bottlenecks. CVPR 2018.",
        origin={"en": "a small MobileNetV2", "es": "una MobileNetV2 pequeña"},
        depth=2,
        depths=(1, 4),
        counts="blocks in each of three stages",
        activation="relu6",
    ),
    "efficientnet": Net(
        "EfficientNet",
        MODEL_B,
        "Tan and Le 2019",
        reference="M. Tan, Q. V. Le: EfficientNet: rethinking model scaling for convolutional neural networks. ICML 2019.",
        origin={"en": "a small EfficientNet", "es": "una EfficientNet pequeña"},
        depth=2,
        depths=(1, 4),
        counts="blocks in each of three stages",
        activation="silu",
    ),
    "inception": Net(
        "Inception",
        MODEL_B,
        "Szegedy et al. 2016",
        reference="C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna: "
        "Rethinking the Inception architecture for computer vision. CVPR 2016.",
        origin={"en": "a small Inception net", "es": "una red Inception pequeña"},
        depth=2,
        depths=(1, 4),
        counts="modules in each of two stages",
    ),
    "bcresnet": Net(
        "BCResNet",
        MODEL_B,
        "Kim et al. 2021",
        reference="B. Kim, S. Chang, J. Lee, D. Sung: "
        "Broadcasted residual learning for efficient keyword spotting. Interspeech 2021.",
        origin={"en": "after BC-ResNet", "es": "según BC-ResNet"},
        depth=2,
        depths=(1, 4),
        counts="blocks in stages 1 and 2; 3 and 4 have twice",
        activation="silu",
    ),
    "mlp": Net(
        "MLP",
        BASELINE,
        "Rumelhart et al. 1986",
        reference=_BACKPROPAGATION,
        origin={"en": "the baseline", "es": "la línea base"},
        depth=2,
        depths=(0, 4),
        counts="hidden layers: 128, 64, 32, 16; 0: logistic regression",
        hidden=(128, 64, 32, 16),
        has_first_stage=False,
    ),
    "scratch": Net(
        "MLP",
        BASELINE,
        "Rumelhart et al. 1986",
        reference=_BACKPROPAGATION,
        origin={"en": "from scratch", "es": "desde cero"},
        depth=2,
        depths=(0, 4),
        counts="hidden layers: 512, 32, 32, 16; 0: logistic regression",
        hidden=(512, 32, 32, 16),
        dropout=0.0,
        recipe={
            "learning_rate": 0.0035,
            "batch_size": 32,
            "optimizer": "sgd",
            "momentum": 0.0,
            "schedule": "constant",
            "warmup": 0.0,
            "weight_decay": 0.0,
            "label_smoothing": 0.0,
            "side_views": 0,
            "normalise": "unit",
        },
        module="mlp",
        has_first_stage=False,
    ),
    "autoencoder": Net(
        "Autoencoder",
        AUTOENCODER,
        "Hinton and Salakhutdinov 2006",
        reference="G. E. Hinton, R. R. Salakhutdinov: "
        "Reducing the dimensionality of data with neural networks. Science 313(5786), 2006.",
        origin={"en": "an autoencoder", "es": "un autocodificador"},
        depth=3,
        depths=(2, 4),
        counts="stages that halve the picture, and as many that double it",
        has_first_stage=False,
    ),
    SPELLED: _spell(
        "Simonyan and Zisserman 2015",
        _VGG,
        {"en": "a stack of layers", "es": "una pila de capas"},
        "[(conv-relu)*2-pool]*3-(fc-relu)*1-fc",
    ),
    "lenet5-1998": _spell(
        "LeCun et al. 1998",
        _LENET,
        {"en": "LeNet-5 of 1998", "es": "la LeNet-5 de 1998"},
        "conv5/6/1/0-tanh-avgpool-conv5/16/1/0-tanh-avgpool-conv5/120/1/0-tanh-fc84-tanh-fc",
        norm="none",
        differs={
            "en": "plain means for trained subsampling, C3 fully connected, plain tanh, softmax for radial units",
            "es": "medias en vez de submuestreo entrenado, C3 completa, tanh simple, softmax en vez de unidades radiales",
        },
    ),
    "alexnet": _spell(
        "Krizhevsky et al. 2012",
        "A. Krizhevsky, I. Sutskever, G. E. Hinton: "
        "ImageNet classification with deep convolutional neural networks. NIPS 2012.",
        {"en": "a small AlexNet", "es": "una AlexNet pequeña"},
        "conv11/96/4-relu-pool3-conv5/256-relu-pool3-(conv3/384-relu)*2-conv3/256-relu-pool3-(fc4096-relu)*2-fc",
        width=0.25,
        differs={
            "en": "one tower, a quarter of the maps, padded pools so that 32 cells suffice, batch for local normalisation, "
            "dropout once",
            "es": "una sola torre, un cuarto de los mapas, pooling con relleno para que basten 32 celdas, normalización por "
            "lotes en vez de local, dropout una vez",
        },
    ),
    "zfnet": _spell(
        "Zeiler and Fergus 2014",
        "M. D. Zeiler, R. Fergus: Visualizing and understanding convolutional networks. ECCV 2014.",
        {"en": "a small ZFNet", "es": "una ZFNet pequeña"},
        "conv7/96/2-relu-pool3-conv5/256/2-relu-pool3-(conv3/384-relu)*2-conv3/256-relu-pool3-(fc4096-relu)*2-fc",
        width=0.25,
        differs={
            "en": "a quarter of the maps, padded pools so that 32 cells suffice, batch for contrast normalisation, "
            "dropout once",
            "es": "un cuarto de los mapas, pooling con relleno para que basten 32 celdas, normalización por lotes en lugar de "
            "contraste, dropout una vez",
        },
    ),
    "vgg11": _spell(
        "Simonyan and Zisserman 2015",
        _VGG,
        {"en": "a small VGG-11", "es": "una VGG-11 pequeña"},
        "conv3/64-relu-pool-conv3/128-relu-pool-(conv3/256-relu)*2-pool-[(conv3/512-relu)*2-pool]*2-(fc4096-relu)*2-fc",
        width=0.25,
        differs=_SMALL_VGG,
    ),
    "vgg16": _spell(
        "Simonyan and Zisserman 2015",
        _VGG,
        {"en": "a small VGG-16", "es": "una VGG-16 pequeña"},
        "(conv3/64-relu)*2-pool-(conv3/128-relu)*2-pool-(conv3/256-relu)*3-pool-[(conv3/512-relu)*3-pool]*2-(fc4096-relu)*2-fc",
        width=0.25,
        differs=_SMALL_VGG,
    ),
}
PLUGIN_DEPTHS = (1, 1000)
WIDTHS = (0.25, 8.0)
PLUGIN_WIDTHS = (0.01, 100.0)
