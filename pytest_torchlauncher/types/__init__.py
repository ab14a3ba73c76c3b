"""The frozen types that travel between the stages.

Arrays state shape, dtype, frame and unit. Nothing here imports torch: a tensor is named in annotations only.
"""

from __future__ import annotations

from .arrays import Array as Array
from .arrays import Color as Color
from .arrays import Data as Data
from .arrays import Frame as Frame
from .arrays import Region as Region
from .arrays import Size as Size
from .drawings import FULL as FULL
from .drawings import NO_CLASS as NO_CLASS
from .drawings import Drawing as Drawing
from .geometry import Geometry as Geometry
from .levels import Levels as Levels
from .measurement import Control as Control
from .measurement import Curve as Curve
from .measurement import DataProvenance as DataProvenance
from .measurement import Environment as Environment
from .measurement import Evidence as Evidence
from .measurement import Measurement as Measurement
from .measurement import MetricValue as MetricValue
from .measurement import ModelProvenance as ModelProvenance
from .measurement import Outcomes as Outcomes
from .measurement import RunProvenance as RunProvenance
from .measurement import Seconds as Seconds
from .measurement import Stop as Stop
from .measurement import Thumbnail as Thumbnail
from .objects import Boxes as Boxes
from .objects import InstanceMasks as InstanceMasks
from .objects import Keypoints as Keypoints
from .objects import Rle as Rle
from .objects import ScoredBoxes as ScoredBoxes
from .objects import ScoredKeypoints as ScoredKeypoints
from .objects import ScoredMasks as ScoredMasks
from .outputs import Outputs as Outputs
from .representations import Annotation as Annotation
from .representations import Attributes as Attributes
from .representations import DepthMap as DepthMap
from .representations import Embedding as Embedding
from .representations import Identity as Identity
from .representations import Image as Image
from .representations import InFile as InFile
from .representations import Label as Label
from .representations import Landmarks as Landmarks
from .representations import Mask as Mask
from .representations import MaskScores as MaskScores
from .representations import Matte as Matte
from .representations import Named as Named
from .representations import Prediction as Prediction
from .representations import Scores as Scores
from .representations import Text as Text
from .representations import Values as Values
from .samples import Annotated as Annotated
from .samples import Annotations as Annotations
from .samples import Batch as Batch
from .samples import Dataset as Dataset
from .samples import DatasetMeta as DatasetMeta
from .samples import Pair as Pair
from .samples import Sample as Sample
