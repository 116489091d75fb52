"""Plain twins of the C kernels: what native/include/mcu/*.h says, in numpy, slowly, and written without reading the C.

A twin works on whole planes with masks of ownership, so it has no clipping, no spans and no fast path to get wrong.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu.media import _native

Plane = npt.NDArray[np.uint8]
Rect = tuple[int, int, int, int]
Colour = tuple[int, int, int]

BLACK: Colour = (16, 128, 128)
GUARD = 0xA5


@dataclass
class Picture:
    """Three planes inside larger arrays, whose margin shows whatever is written outside."""

    memory: list[Plane]
    width: int
    height: int

    @classmethod
    def noise(cls, width: int, height: int, *, seed: int = 0, padding: int = 0, worst: bool = False) -> "Picture":
        """Random samples, or only 0 and 255; `padding` bytes after each row."""
        rng = np.random.default_rng(seed)
        memory = []
        for w, h in cls.sizes(width, height):
            plane = np.full((h, w + padding), GUARD, np.uint8)
            plane[:, :w] = rng.integers(0, 2, (h, w)) * 255 if worst else rng.integers(0, 256, (h, w))
            memory.append(plane)
        return cls(memory, width, height)

    @staticmethod
    def sizes(width: int, height: int) -> list[tuple[int, int]]:
        half = ((width + 1) // 2, (height + 1) // 2)
        return [(width, height), half, half]

    def clone(self) -> "Picture":
        return Picture([plane.copy() for plane in self.memory], self.width, self.height)

    @property
    def planes(self) -> list[Plane]:
        return [m[:, :w] for m, (w, _) in zip(self.memory, self.sizes(self.width, self.height), strict=True)]

    def native(self) -> _native.I420:
        y, u, v = self.memory
        return _native.I420(y.data, u.data, v.data, (y.shape[1], u.shape[1], v.shape[1]), self.width, self.height)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and all(
            np.array_equal(a, b) for a, b in zip(self.memory, other.memory, strict=True)
        )


def pixels(shape: tuple[int, ...], plane: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each sample of a plane, the luma pixel that decides whose it is: (x, y)."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    return (x * 2, y * 2) if plane else (x, y)


def owned(shape: tuple[int, ...], plane: int, rect: Rect) -> npt.NDArray[np.bool_]:
    """The samples of a plane that belong to a rectangle."""
    x, y = pixels(shape, plane)
    left, top, width, height = rect
    return (x >= left) & (x < left + width) & (y >= top) & (y < top + height)


def blend(under: Plane, over: int, alpha: npt.NDArray[np.float64] | int) -> Plane:
    """Rounded to nearest; 255 is odd, so there are no ties."""
    exact = (under * (255.0 - alpha) + float(over) * alpha) / 255.0
    rounded: Plane = np.floor(exact + 0.5).astype(np.uint8)
    return rounded


def fill(canvas: Picture, rect: Rect, colour: Colour) -> None:
    for index, plane in enumerate(canvas.planes):
        plane[owned(plane.shape, index, rect)] = colour[index]


def border(canvas: Picture, rect: Rect, thickness: int, colour: Colour) -> None:
    x, y, width, height = rect
    inside = (x + thickness, y + thickness, max(width - 2 * thickness, 0), max(height - 2 * thickness, 0))
    for index, plane in enumerate(canvas.planes):
        plane[owned(plane.shape, index, rect) & ~owned(plane.shape, index, inside)] = colour[index]


def at(mask: Plane, x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """A mask's opacity at these places; 0 outside of it."""
    height, width = mask.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = np.zeros(x.shape)
    found[inside] = mask[y[inside], x[inside]]
    return found


def mean_of_square(
    value: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
    below: npt.NDArray[np.float64],
    both: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    return np.floor((value + right + below + both) / 4 + 0.5)


def opacity(mask: Plane, plane: int, shape: tuple[int, ...], x0: int, y0: int) -> npt.NDArray[np.float64]:
    """What a mask with its top left at (x0, y0) does to each sample of a plane."""
    x, y = pixels(shape, plane)
    x, y = x - x0, y - y0
    if plane == 0:
        return at(mask, x, y)
    return mean_of_square(at(mask, x, y), at(mask, x + 1, y), at(mask, x, y + 1), at(mask, x + 1, y + 1))


def write(canvas: Picture, x: int, y: int, mask: Plane, ink: Colour, within: Rect) -> None:
    place = (x, y, mask.shape[1], mask.shape[0])
    for index, plane in enumerate(canvas.planes):
        mine = owned(plane.shape, index, place) & owned(plane.shape, index, within)
        plane[mine] = blend(plane[mine], ink[index], opacity(mask, index, plane.shape, x, y)[mine])


def label(canvas: Picture, x: int, y: int, mask: Plane, ink: Colour, plate: Colour, plate_alpha: int) -> None:
    place = (x, y, mask.shape[1], mask.shape[0])
    for index, plane in enumerate(canvas.planes):
        mine = owned(plane.shape, index, place)
        plane[mine] = blend(plane[mine], plate[index], plate_alpha)
    write(canvas, x, y, mask, ink, place)


def disc_points(tile: Rect, radius: int, x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """How many of the 4x4 points of each pixel are in the disc; 0 for pixels outside the tile."""
    left, top, width, height = tile
    count = np.zeros(x.shape)
    for dy in (0.125, 0.375, 0.625, 0.875):  # exact in binary, as is all that follows
        for dx in (0.125, 0.375, 0.625, 0.875):
            away = (x + dx - left - width / 2) ** 2 + (y + dy - top - height / 2) ** 2
            count += away <= radius**2
    count[(x < left) | (x >= left + width) | (y < top) | (y >= top + height)] = 0
    return count


def avatar(
    canvas: Picture, tile: Rect, background: Colour, disc: Colour, radius: int, mask: Plane, ink: Colour
) -> None:
    fill(canvas, tile, background)
    for index, plane in enumerate(canvas.planes):
        x, y = pixels(plane.shape, index)
        points = disc_points(tile, radius, x, y)
        if index:
            points += disc_points(tile, radius, x + 1, y) + disc_points(tile, radius, x, y + 1)
            points += disc_points(tile, radius, x + 1, y + 1)
            points /= 4
        mine = owned(plane.shape, index, tile)
        plane[mine] = blend(plane[mine], disc[index], np.floor(points * 255 / 16 + 0.5)[mine])
    x0 = (2 * tile[0] + tile[2] - mask.shape[1]) // 2
    y0 = (2 * tile[1] + tile[3] - mask.shape[0]) // 2
    write(canvas, x0, y0, mask, ink, tile)


def copy(canvas: Picture, source: Picture, rect: Rect, x: int, y: int) -> None:
    for index, (to, have) in enumerate(zip(canvas.planes, source.planes, strict=True)):
        px, py = pixels(to.shape, index)
        sx, sy = px - x + rect[0], py - y + rect[1]
        mine = (sx >= rect[0]) & (sx < rect[0] + rect[2]) & (sy >= rect[1]) & (sy < rect[1] + rect[3])
        mine &= (sx >= 0) & (sx < source.width) & (sy >= 0) & (sy < source.height)
        half = 2 if index else 1
        to[mine] = have[sy[mine] // half, sx[mine] // half]


def letterbox(width: int, height: int, tile: Rect) -> Rect:
    """In exact fractions: the largest even rectangle of the picture's shape in the even part of the tile."""
    left, top = tile[0] + tile[0] % 2, tile[1] + tile[1] % 2
    room_x = (tile[0] + tile[2]) // 2 * 2 - left
    room_y = (tile[1] + tile[3]) // 2 * 2 - top
    if room_x < 2 or room_y < 2:
        return (0, 0, 0, 0)
    w, h = room_x, room_y
    if width * room_y > room_x * height:
        h = max(2 * ((height * room_x + width) // (2 * width)), 2)
    else:
        w = max(2 * ((width * room_y + height) // (2 * height)), 2)
    return (left + (room_x - w) // 4 * 2, top + (room_y - h) // 4 * 2, w, h)


def area_average(plane: Plane, width: int, height: int) -> npt.NDArray[np.float64]:
    """Each sample the mean of the source's area under it, exactly weighted."""
    mean: npt.NDArray[np.float64] = (
        _weights(plane.shape[0], height) @ plane.astype(float) @ _weights(plane.shape[1], width).T
    )
    return mean


def _weights(have: int, want: int) -> npt.NDArray[np.float64]:
    edges = np.arange(want + 1) * have / want
    low = np.maximum(edges[:-1, None], np.arange(have)[None, :])
    high = np.minimum(edges[1:, None], np.arange(1, have + 1)[None, :])
    weights: npt.NDArray[np.float64] = np.maximum(high - low, 0) * want / have
    return weights
