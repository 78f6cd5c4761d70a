"""The paper's Cityscapes, 512 x 1024, 80k steps: NLNet with ResNet-50 and ASA."""

_base_ = "mmseg::nonlocal_net/nonlocal_r50-d8_4xb2-80k_cityscapes-512x1024.py"
custom_imports = dict(imports=["asa_viz.networks"], allow_failed_imports=False)
custom_hooks = [dict(type="SaveWeights")]
# Backbone weights come by --init alone; mmsegmentation's config would download them.
model = dict(pretrained=None, decode_head=dict(type="ASAHead"))
