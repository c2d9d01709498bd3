"""Names of classes whose files hold numbers alone: known by the content of the pictures, never by the name of a folder."""

from __future__ import annotations

_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_NUMBERS = tuple(str(number) for number in range(10))

# By the SHA-256 of an unpacked file of IDX pictures; a gz may be packed anew. Their MD5 are those that torchvision's and
# Zalando's users publish of the same contents.
KNOWN_IDX = {
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888": ("Fashion-MNIST", _FASHION),  # train
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b": ("Fashion-MNIST", _FASHION),  # t10k
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db": ("MNIST", _NUMBERS),  # train
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7": ("MNIST", _NUMBERS),  # t10k
}


def name_numbers(n_classes: int) -> tuple[str, ...]:
    """Return the classes of numbered pictures without names: 0 to K - 1."""
    return tuple(str(number) for number in range(n_classes))
