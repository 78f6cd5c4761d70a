"""Settings of the other designs, used by their heads and printed by their records.

Counts are those of the paper or its released code; a share is the ratio of head channels to the
design's own channels. `tests/networks/zoo/test_settings.py` compares them with the heads.
"""

DNL_TEMPERATURE = 0.05
SAGAN_SHARE = 8

DGMN_SIDE = 3
DGMN_RATES = (1, 4, 8, 12)
OCNET_SPLITS = (1, 2, 3, 6)
ISA_BLOCK = (8, 8)
CCNET_PASSES = 2

STAND_ALONE_WINDOW = 7
LOCAL_RELATION_WINDOW = 7
SAN_WINDOW = 7
SAN_SHARED = 8
CARAFE_WINDOW = 5

ANN_GRIDS = (1, 3, 6, 8)
APC_GRIDS = (1, 2, 3, 6)
PYRAMID_GRIDS = (1, 2, 3, 6)

A2_SHARE = 2
EMA_BASES = 64
EMA_STAGES = 3
CGNL_GROUPS = 8
GLORE_SHARE = 4
BEYOND_GRIDS_NODES = 32
LATENT_NODES = 100

# From any cell of a 46 x 60 map it covers half of the map: 2 x 23 - 1, 2 x 30 - 1.
PSA_MASK = (45, 59)
# The grid of a training crop (256 x 256 pixels at stride 8): each of its positions has parameters.
SYNTHESIZER_SIDE = 32
SYNTHESIZER_RANK = 8

# In cells of eight pixels. The bilateral window holds three standard deviations; the search window
# is the usual one; the patch is smaller, because a cell is already an average.
BILATERAL_WINDOW = 19
MEANS_SEARCH = 21
MEANS_PATCH = 3
SHIFT_STEPS = 5

CBAM_KERNEL = 7
