"""Public corpora of pictures that `arena data get` fetches: addresses, files, digests of their contents. Standard library only.

Each file is known by the digest of its content, unpacked: a gz may be packed anew (Debian's of Fashion-MNIST are).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureCorpus:
    """One public corpus of pictures."""

    name: str
    title: str
    urls: tuple[str, ...]  # tried in order: folders that hold each file as NAME.gz, or archives of all
    archive_name: str  # empty where each file is fetched by itself
    files: tuple[tuple[str, str], ...]  # name, and MD5 or SHA-256 of the content
    n_clips: int
    n_classes: int
    archive_bytes: int
    licence: str
    licence_url: str
    citation: str
    homepage: str


_IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

PICTURE_CORPORA = (
    PictureCorpus(
        name="mnist",
        title="MNIST",
        urls=("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"),
        archive_name="",
        files=tuple(
            zip(
                _IDX,
                (
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                ),
                strict=True,
            )
        ),
        n_clips=70_000,
        n_classes=10,
        archive_bytes=11_594_722,
        licence="CC BY-SA 3.0",
        licence_url="https://keras.io/api/datasets/mnist/",
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document Recognition. "
        "Proceedings of the IEEE 86(11), 1998",
        homepage="http://yann.lecun.com/exdb/mnist/",
    ),
    PictureCorpus(
        name="fashion-mnist",
        title="Fashion-MNIST",
        urls=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
        ),
        archive_name="",
        files=tuple(
            zip(
                _IDX,
                (
                    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                ),
                strict=True,
            )
        ),
        n_clips=70_000,
        n_classes=10,
        archive_bytes=30_878_645,
        licence="MIT",
        licence_url="https://github.com/zalandoresearch/fashion-mnist/blob/master/LICENSE",
        citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning "
        "Algorithms. arXiv:1708.07747, 2017",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
    ),
    PictureCorpus(
        name="cifar10",
        title="CIFAR-10",
        urls=("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
        archive_name="cifar-10-python.tar.gz",
        files=(  # MD5 as torchvision publishes them
            ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
            ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
            ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
            ("data_batch_4", "634d18415352ddfa80567beed471001a"),
            ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
            ("test_batch", "40351d587109b95175f43aff81a1287e"),
            ("batches.meta", "5ff9c542aee3614f3951f8cda6e48888"),
        ),
        n_clips=60_000,
        n_classes=10,
        archive_bytes=170_498_071,
        licence="none stated",
        licence_url="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images. Technical report, Toronto, 2009",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
)
