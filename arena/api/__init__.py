"""Arena from Python; `import arena` hands these names on. Each function does what the command of its name does."""

import warnings

from cnn.hardware import name_account

name_account()
warnings.filterwarnings("ignore", "IProgress not found")  # Optuna loads tqdm, which wants widgets in a notebook
