"""Arena from Python; `import arena` hands these names on. Each function does what the command of its name does."""

from cnn.hardware import name_account

name_account()
