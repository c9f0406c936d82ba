"""Decodes pictures by Pillow and sounds by the standard library.

    decode.py FILE...

Beside each FILE it writes `FILE.0`, `FILE.1` … with the bytes of its frames: the pixels in the picture's own mode, of
an animation in RGB as a viewer shows them, or all samples of a sound. Prints, as JSON, what there is to say of each.
"""

import json
import sys
import wave

from PIL import Image, ImageSequence


def picture(path):
    with Image.open(path, formats=["PNG", "GIF"]) as image:
        facts = {"format": image.format, "size": list(image.size), "mode": image.mode}
        if image.format == "GIF":
            facts["loop"] = image.info.get("loop")
            facts["milliseconds"] = []
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            if image.format == "GIF":
                facts["milliseconds"].append(frame.info["duration"])
                frame = frame.convert("RGB")
            with open(f"{path}.{number}", "wb") as out:
                out.write(frame.tobytes())
        return facts | {"frames": number + 1}


def sound(path):
    with wave.open(path) as clip:
        with open(f"{path}.0", "wb") as out:
            out.write(clip.readframes(clip.getnframes()))
        return {
            "rate": clip.getframerate(),
            "channels": clip.getnchannels(),
            "width": clip.getsampwidth(),
            "length": clip.getnframes(),
            "frames": 1,
        }


def decoded(path):
    with open(path, "rb") as file:
        is_sound = file.read(4) == b"RIFF"
    return sound(path) if is_sound else picture(path)


print(json.dumps([decoded(path) for path in sys.argv[1:]]))
