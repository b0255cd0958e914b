"""MMPose's metainfo file of the FashionAI keypoints, derived from ``core.garments``.

It is a config in MMEngine's text form: ``metainfo=dict(from_file='…/metainfo.py')`` reads it, and
so does anything else that takes a metainfo file. The skeleton holds every category's links, for
tools that know one skeleton only.
"""

# Says to MMEngine that this is a text config; in a lazy one these imports would not be allowed.
_base_ = []  # type: ignore[var-annotated]

from fashionkp_mm.core import garments as _garments  # noqa: E402

_SIDE_COLORS = {"left": (0, 140, 255), "right": (255, 110, 0), "middle": (0, 190, 90)}


def _side(name: str) -> str:
    return next((side for side in ("left", "right") if f"_{side}" in name), "middle")


_links = {
    frozenset(link): (link, category.color)
    for category in reversed(_garments.CATEGORIES.values())
    for link in category.skeleton
}

dataset_info = dict(
    dataset_name="fashionai",
    paper_info=dict(
        author="Zou, Xingxing and Kong, Xiangheng and Wong, Waikeung and Wang, Congde and "
        "Liu, Yuguang and Cao, Yang",
        title="FashionAI: A Hierarchical Dataset for Fashion Understanding",
        container="Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern "
        "Recognition Workshops (CVPRW)",
        year="2019",
        homepage="https://tianchi.aliyun.com/competition/entrance/231648/information",
    ),
    keypoint_info={
        index: dict(
            name=name,
            id=index,
            color=list(_SIDE_COLORS[_side(name)]),
            type="",
            swap=_garments.mirrored_name(name) if _garments.mirrored_name(name) != name else "",
        )
        for index, name in enumerate(_garments.KEYPOINT_NAMES)
    },
    skeleton_info={
        index: dict(link=link, id=index, color=list(color))
        for index, (link, color) in enumerate(_links.values())
    },
    joint_weights=[1.0] * len(_garments.KEYPOINT_NAMES),
    # OKS needs how far two labellers of a point lie apart. FashionAI was labelled once, so no such
    # figure exists, and none is made up here.
    sigmas=[],
)
