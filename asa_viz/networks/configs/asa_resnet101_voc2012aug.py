"""The paper's PASCAL VOC 2012 + aug, 512 x 512, 40k steps: NLNet with ResNet-101 and ASA."""

_base_ = "mmseg::nonlocal_net/nonlocal_r101-d8_4xb4-40k_voc12aug-512x512.py"
custom_imports = dict(imports=["asa_viz.networks"], allow_failed_imports=False)
custom_hooks = [dict(type="SaveWeights")]
# Backbone weights come by --init alone; mmsegmentation's config would download them.
model = dict(pretrained=None, decode_head=dict(type="ASAHead"))
