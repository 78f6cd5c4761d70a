"""ResNet-50 in Caffe style at output stride 8 under a non-local head of 256 channels.

Caffe style puts the stride of a stage on its first 1 x 1 convolution, as the ImageNet weights it
starts from were trained; their statistics are estimates, so normalisation keeps them.
"""

_base_ = "./mobilenetv2.py"
norm_cfg = dict(type="BN", requires_grad=True)
model = dict(
    backbone=dict(
        _delete_=True,
        type="ResNet",
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        style="caffe",
        contract_dilation=True,
        norm_cfg=norm_cfg,
        norm_eval=True,
        frozen_stages=1,
    ),
    decode_head=dict(in_channels=2048),
)
