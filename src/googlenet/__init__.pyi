__version__: str

from .arch.cost import cost as cost
from .arch.modules import inception as inception
from .arch.spec import Arch as Arch
from .arch.spec import Branch as Branch
from .arch.variants import list_models as list_models
from .errors import InputError as InputError
from .estimator.classifier import GoogLeNetClassifier as GoogLeNetClassifier
from .inference.load import load as load
from .inference.prediction import Prediction as Prediction
from .inference.predictor import Predictor as Predictor
from .nn.blocks import Inception as Inception
from .nn.googlenet import GoogLeNet as GoogLeNet
from .nn.googlenet import GoogLeNetOutput as GoogLeNetOutput
from .weights.create import create_model as create_model
from .weights.create import load_model as load_model
from .weights.create import save_weights as save_weights
