"""The nets by name: what is known of each without torch. A new one is a file `cnn/models/<name>.py` and an entry here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MODEL_A, MODEL_B, BASELINE = "Model A", "Model B", "baseline"
SEES = ("picture", "differences")  # the picture alone, or with its differences along time and frequency
PAIR = ("lenet5", "resnet")  # Model A and the Model B that `--all` trains


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
    has_hidden: bool = False  # obeys `model.hidden`
    has_first_stage: bool = True  # begins with `blocks.FirstStage`, which obeys `model.sees`


NETS = {
    "lenet5": Net(
        "LeNet5",
        MODEL_A,
        "LeCun et al. 1998",
        reference="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: "
        "Gradient-based learning applied to document recognition. Proceedings of the IEEE 86(11), 1998.",
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
        reference="D. E. Rumelhart, G. E. Hinton, R. J. Williams: "
        "Learning representations by back-propagating errors. Nature 323, 1986.",
        origin={"en": "the baseline", "es": "la línea base"},
        depth=2,
        depths=(0, 4),
        counts="hidden layers: 128, 64, 32, 16; 0: logistic regression",
        has_hidden=True,
        has_first_stage=False,
    ),
}
PLUGIN_DEPTHS = (1, 1000)
WIDTHS = (0.25, 8.0)
PLUGIN_WIDTHS = (0.01, 100.0)
