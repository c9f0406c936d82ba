"""Decodes PNG files: beside each `x.png` it writes `x.png.rgb`, the bytes of its pixels, row by row.

    decode_png.py FILE...

Prints, as JSON, [width, height, mode] of each; the mode is Pillow's, before the pixels were made RGB.
"""

import json
import sys

from PIL import Image

sizes = []
for path in sys.argv[1:]:
    with Image.open(path, formats=["PNG"]) as image:
        sizes.append([image.width, image.height, image.mode])
        with open(path + ".rgb", "wb") as out:
            out.write(image.convert("RGB").tobytes())
print(json.dumps(sizes))
