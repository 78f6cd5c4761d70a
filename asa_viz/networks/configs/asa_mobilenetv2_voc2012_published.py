"""`asa_mobilenetv2_voc2012` in the published form: residual sum, 3 x 3 convolutions, skip."""

_base_ = "./asa_mobilenetv2_voc2012.py"
model = dict(decode_head=dict(read_only=False))
