"""The nets by name: what can be known of each without torch. A new one is a file `cnn/models/<name>.py` and a line here."""

from __future__ import annotations

from dataclasses import dataclass

MODEL_A, MODEL_B, BASELINE = "Model A", "Model B", "baseline"
SEES = ("picture", "differences")  # the picture alone, or with its differences along time and frequency
PAIR = ("lenet5", "resnet")  # Model A and the Model B that `--all` trains


@dataclass(frozen=True, slots=True)
class Net:
    """One net; its class is called with (ModelSettings, size, n_classes)."""

    class_name: str
    role: str
    paper: str
    depth: int  # by default
    depths: tuple[int, int]  # least and most
    counts: str  # what `depth` counts
    activation: str = "relu"  # the paper's own
    width: float = 1.0  # by default
    sees: str = "picture"  # by default; one of SEES
    has_first_stage: bool = True  # which can be given more than the picture


NETS = {
    "lenet5": Net(
        "LeNet5", MODEL_A, "LeCun et al. 1998", 2, (2, 4), "stages of convolution and pooling", width=2.0, sees="differences"
    ),
    "resnet": Net("ResNet", MODEL_B, "He et al. 2016", 1, (1, 4), "residual blocks in each of three stages", width=2.0),
    "densenet": Net("DenseNet", MODEL_B, "Huang et al. 2017", 3, (1, 8), "layers in each of three dense blocks"),
    "mobilenet": Net("MobileNet", MODEL_B, "Sandler et al. 2018", 2, (1, 4), "blocks in each of three stages", "relu6"),
    "efficientnet": Net("EfficientNet", MODEL_B, "Tan and Le 2019", 2, (1, 4), "blocks in each of three stages", "silu"),
    "inception": Net("Inception", MODEL_B, "Szegedy et al. 2016", 2, (1, 4), "modules in each of two stages"),
    "bcresnet": Net("BCResNet", MODEL_B, "Kim et al. 2021", 2, (1, 4), "blocks in stages 1 and 2; 3 and 4 have twice", "silu"),
    "mlp": Net("MLP", BASELINE, "Rumelhart et al. 1986", 2, (1, 4), "hidden layers: 128, 64, 32, 16", has_first_stage=False),
}
PLUGIN_DEPTHS = (1, 1000)
WIDTHS = (0.25, 8.0)
PLUGIN_WIDTHS = (0.01, 100.0)
