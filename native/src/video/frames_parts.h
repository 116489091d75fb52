/* What the parts of mcu/frames.h share. Private to native/src/video.
 *
 * Sequence numbers `next` … `highest` are the window; each has a slot in a ring. Packets wait
 * in cells until those before them came; mcu_frames_pop takes them in order. */
#ifndef MCU_VIDEO_FRAMES_PARTS_H
#define MCU_VIDEO_FRAMES_PARTS_H

#include <mcu/frames.h>
#include <mcu/rtp.h>

#define MCU_CELL MCU_DATAGRAM /* bytes of a payload at most */
#define MCU_SLAB_CELLS 32     /* allocated at a time */
#define MCU_SLABS (MCU_FRAMES_PACKETS / MCU_SLAB_CELLS)
#define MCU_SLABS_KEPT 4 /* when no packet waits */

enum mcu_slot_state { MCU_SLOT_MISSING, MCU_SLOT_HELD, MCU_SLOT_LOST /* given up */ };

enum { /* flags of a slot that is held */
       MCU_SLOT_MARKER = 1,
       MCU_SLOT_BEGINS = 2,
       MCU_SLOT_KEY = 4,
       MCU_SLOT_MALFORMED = 8,
       MCU_SLOT_SYNC = 16 /* struct mcu_payload's layer_sync */
};

struct mcu_slot {
    union {
        uint8_t *cell; /* held; NULL where the payload is empty */
        int64_t due;   /* missing: when to ask for it */
    };
    union {
        uint32_t timestamp; /* held */
        uint32_t hurry;     /* missing, not asked for yet: due when so many advanced */
    };
    uint16_t size;
    uint8_t state, flags, codec;
    uint8_t asked; /* missing: how often */
    int8_t temporal;
};

/* Memory for packets that wait. */
struct mcu_cells {
    uint8_t *slabs[MCU_SLABS];
    uint32_t count; /* slabs */
    uint32_t used;  /* cells */
    uint8_t *free;  /* a list: each cell begins with the next one's address */
};
/* NULL: no memory. */
uint8_t *mcu_cell_take(struct mcu_cells *cells);
void mcu_cell_give(struct mcu_cells *cells, uint8_t *cell);
void mcu_cells_free(struct mcu_cells *cells);

/* The picture that is being put together. */
struct mcu_assembly {
    uint8_t *data;
    size_t used, room;
    uint32_t timestamp;
    enum mcu_video_codec codec;
    int temporal;
    bool layer_sync;
    bool open;    /* a packet of it came */
    bool empty;   /* none that adds to it came */
    bool spoiled; /* something of it is missing */
    bool hole;    /* something right before it is missing, maybe of it */
    bool given;   /* data belongs to the caller until the next call */
};

struct mcu_frames {
    uint32_t pixels_max;
    bool begun;            /* a packet came */
    int64_t next, highest; /* highest < next: nothing is held */
    int64_t key;           /* the highest packet of a key frame that came, or -1 */
    struct mcu_cells cells;

    bool broken; /* nothing is given until a key frame */
    struct mcu_assembly assembly;
    struct mcu_size size; /* the last that was claimed: H.264 slices may come without theirs */

    uint32_t missing;  /* slots */
    uint32_t advances; /* packets that became the highest */
    uint32_t hurry;    /* the advances at which a missing one is due before its time */
    int64_t nack_at;   /* nothing is due before */

    bool key_wanted, key_coming; /* coming: one began since it was asked for */
    int64_t key_at;              /* when to ask; INT64_MAX: not */

    uint64_t drops[MCU_FRAMES_DROPS];
    struct mcu_slot slots[MCU_FRAMES_PACKETS];
};

static inline struct mcu_slot *mcu_slot_at(struct mcu_frames *frames, int64_t sequence)
{
    return &frames->slots[sequence & (MCU_FRAMES_PACKETS - 1)];
}

/* frames_nack.c */
void mcu_frames_note_missing(struct mcu_frames *frames, int64_t sequence, int64_t now);
/* A packet came that is further than any other. */
void mcu_frames_advance(struct mcu_frames *frames, int64_t now);

/* frames_key.c */
void mcu_frames_key_needed(struct mcu_frames *frames);
void mcu_frames_key_began(struct mcu_frames *frames, int64_t now);
void mcu_frames_key_came(struct mcu_frames *frames);

/* frames_picture.c */
void mcu_frames_lose(struct mcu_frames *frames); /* something is missing here */

/* frames.c */
/* Forgets the packets before `sequence`, which comes next. */
void mcu_frames_skip_to(struct mcu_frames *frames, int64_t sequence);

#endif
