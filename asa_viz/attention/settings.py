"""The settings of the other designs that their heads are built with and their records print.

Counts are those of the paper or of its released code; a share is a number of the head's channels
for each of the design's own. `tests/networks/zoo/test_settings.py` compares them with the heads.
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

# It covers the half of a map of 46 x 60 cells from any of its cells: 2 x 23 - 1, 2 x 30 - 1.
PSA_MASK = (45, 59)
# The grid of a training crop, 256 x 256 pixels at stride 8: so many places have parameters.
SYNTHESIZER_SIDE = 32
SYNTHESIZER_RANK = 8

# In cells, eight pixels wide. The bilateral window holds three standard deviations; the search
# window is the usual one; the patch is smaller, for a cell is a patch itself.
BILATERAL_WINDOW = 19
MEANS_SEARCH = 21
MEANS_PATCH = 3
SHIFT_STEPS = 5

CBAM_KERNEL = 7
