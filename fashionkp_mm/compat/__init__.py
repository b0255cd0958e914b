"""The OpenMMLab stack on today's Python: each module fixes one thing and says when it can go.

``startup`` is what the interpreter runs, through ``fashionkp_mm.pth`` in site-packages; it must
stay tiny. Everything else is imported only when the module that it patches is.
"""
