"""Things of VOC 2012 and stuff outdoors: the pictures of `asa_viz.networks.outdoor`."""

_base_ = "./voc2012.py"
train_dataloader = dict(dataset=dict(type="Outdoor", data_root="data/outdoor"))
val_dataloader = dict(dataset=dict(type="Outdoor", data_root="data/outdoor"))
test_dataloader = dict(dataset=dict(type="Outdoor", data_root="data/outdoor"))
model = dict(data_set="outdoor", decode_head=dict(num_classes=27))
