#include "frames_parts.h"

#include <stdlib.h>
#include <string.h>

static void link_cells(struct mcu_cells *cells, uint8_t *slab)
{
    for (size_t i = 0; i < MCU_SLAB_CELLS; i++) {
        uint8_t *cell = slab + i * MCU_CELL;
        memcpy(cell, &cells->free, sizeof cells->free);
        cells->free = cell;
    }
}

uint8_t *mcu_cell_take(struct mcu_cells *cells)
{
    if (!cells->free) {
        uint8_t *slab =
            cells->count < MCU_SLABS ? malloc((size_t)MCU_SLAB_CELLS * MCU_CELL) : NULL;
        if (!slab)
            return NULL;
        cells->slabs[cells->count++] = slab;
        link_cells(cells, slab);
    }
    uint8_t *cell = cells->free;
    memcpy(&cells->free, cell, sizeof cells->free);
    cells->used++;
    return cell;
}

/* After a burst most of its memory goes back. */
static void shrink(struct mcu_cells *cells)
{
    while (cells->count > MCU_SLABS_KEPT)
        free(cells->slabs[--cells->count]);
    cells->free = NULL;
    for (uint32_t i = 0; i < cells->count; i++)
        link_cells(cells, cells->slabs[i]);
}

void mcu_cell_give(struct mcu_cells *cells, uint8_t *cell)
{
    if (!cell)
        return;
    memcpy(cell, &cells->free, sizeof cells->free);
    cells->free = cell;
    if (!--cells->used && cells->count > MCU_SLABS_KEPT)
        shrink(cells);
}

void mcu_cells_free(struct mcu_cells *cells)
{
    while (cells->count)
        free(cells->slabs[--cells->count]);
}
