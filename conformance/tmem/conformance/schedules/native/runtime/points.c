/*
 * Accesses of memory. Few of them matter: those of an address that another thread touches too, one of the two
 * writing. Executions that learn find out which instructions make such accesses: each address of a heap, a stack or a
 * variable has a cell, for which is noted who reads and who writes it, and an instruction that touches a cell that
 * is shared is marked. From then on each access of a marked instruction is a switch point, and is looked at for
 * races; so is each of an instruction that no learning execution came to. All others pass at once. The marks stay,
 * so that a schedule means the same in a smaller program.
 */
#include "runtime.h"
#include <string.h>
#include <sys/mman.h>

enum { CELLS = 1 << 15, RACES = 64, PATIENCE = 50000, SPINS = 8, TOUCHES = 4 << 20 };
enum { READ = 0, WRITE = 1 };
enum { UNSEEN, ALONE, SHARED }; /* marks: what an instruction that was never executed touches is not known */

extern char *tmem_base;
extern uintptr_t tmem_data, tmem_data_end, tmem_code, tmem_code_end;

static uint8_t *marks;    /* by instruction, from tmem_code on */
static uint16_t *seen;    /* by cell, while learning: threads that read it (low byte) and write it (high byte) */
static uint32_t *touched; /* the cells that were seen */
static size_t touches;
static uint16_t *numbers; /* by cell: its number in the history of this execution, or 0 */
static uint32_t numbered[CELLS];
static int count;
static uint8_t *gone; /* by cell: whether its memory was freed */

/* When each fiber last touched a cell. */
static struct {
    int writer;
    uint32_t written, read[FIBERS];
    void *write_at, *read_at[FIBERS];
} history[CELLS];

struct race { int64_t first, second; };
struct race tmem_races[RACES]; /* pairs of places, each once */
int tmem_race_count;
static int64_t patience;
static void *spun_at;
static int spins, fences;

#define HEAP_CELLS ((size_t)FIBERS * SLICE / 8)

static inline int64_t cell_of(uintptr_t a) {
    if (a - (uintptr_t)tmem_base < (uintptr_t)FIBERS * SLICE) return (int64_t)((a - (uintptr_t)tmem_base) >> 3);
    if (a - tmem_data < tmem_data_end - tmem_data) return (int64_t)(HEAP_CELLS + ((a - tmem_data) >> 3));
    return -1;
}

static void *room(size_t size) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* Another library was attached. */
void tmem_forget_points(void) {
    size_t cells = HEAP_CELLS + (tmem_data_end - tmem_data) / 8 + 1;
    marks = room(tmem_code_end - tmem_code + 1);
    seen = room(cells * sizeof *seen);
    numbers = room(cells * sizeof *numbers);
    touched = room(TOUCHES * sizeof *touched);
    gone = room(cells);
    touches = 0;
    count = 0;
    memset(history, 0, sizeof history);
    tmem_race_count = 0;
}

/* Another program is learned from: who touched what in the last one is forgotten, the marks are not. */
void tmem_learn(void) {
    while (touches) seen[touched[--touches]] = 0;
}

void tmem_reset_points(void) {
    for (; count; count--) {
        numbers[numbered[count]] = 0;
        memset(&history[count], 0, sizeof *history);
    }
    patience = PATIENCE;
    spun_at = NULL;
    spins = fences = 0;
}

static inline uint8_t *mark_of(void *pc) {
    static uint8_t elsewhere;
    uintptr_t at = (uintptr_t)pc - tmem_code;
    return at < tmem_code_end - tmem_code ? &marks[at] : (elsewhere = ALONE, &elsewhere);
}
static inline int matters(void *pc) {
    int mark = *mark_of(pc);
    return mark == SHARED || (mark == UNSEEN && !tmem_words[LEARNING]);
}

/* While learning: notes an access, and marks its instruction where the cell is shared. */
static void learn(uintptr_t a, int write, void *pc) {
    int64_t cell = cell_of(a);
    if (!me->index) return;
    if (*mark_of(pc) == UNSEEN) *mark_of(pc) = ALONE;
    if (cell < 0) return;
    int bit = me->index < 8 ? me->index - 1 : 7;
    if (!seen[cell]) {
        if (touches == TOUCHES) return;
        touched[touches++] = (uint32_t)cell;
    }
    seen[cell] |= (uint16_t)(1 << (write ? bit + 8 : bit));
    int readers = seen[cell] & 0xff, writers = seen[cell] >> 8, both = readers | writers;
    if (writers && both & (both - 1)) *mark_of(pc) = SHARED;
}

static void race(void *first, void *second) {
    struct race found = {(int64_t)first, (int64_t)second - 1};
    for (int n = 0; n < tmem_race_count; n++)
        if (tmem_races[n].first == found.first && tmem_races[n].second == found.second) return;
    if (tmem_race_count < RACES) tmem_races[tmem_race_count++] = found;
}

/* Compares with the last accesses that no lock, atomic, start or end of a thread orders before this one. */
static void order(uintptr_t a, int write, void *pc) {
    int64_t cell = cell_of(a);
    if (cell < 0 || !me->index) return;
    int number = numbers[cell];
    if (!number) {
        if (count + 1 == CELLS) return;
        number = numbers[cell] = (uint16_t)++count;
        numbered[number] = (uint32_t)cell;
    }
    struct fiber *f = me;
    int self = f->index;
    if (history[number].written > f->clock[history[number].writer] && history[number].writer != self)
        race(history[number].write_at, pc);
    if (write) {
        for (int n = 1; n < FIBERS; n++)
            if (n != self && history[number].read[n] > f->clock[n]) race(history[number].read_at[n], pc);
        history[number].writer = self;
        history[number].written = f->clock[self];
        history[number].write_at = (char *)pc - 1;
    } else {
        history[number].read[self] = f->clock[self];
        history[number].read_at[self] = (char *)pc - 1;
    }
}

/* Memory is freed, or is there again. Who else touches it is wrong. */
void tmem_mark_gone(void *at, size_t size, int freed) {
    int64_t cell = cell_of((uintptr_t)at);
    if (cell >= 0) REAL(void *, "memset", void *, int, size_t)(gone + cell, freed, (size + 7) / 8);
}
static void look_whether_gone(uintptr_t a) {
    int64_t cell = cell_of(a);
    if (cell < 0 || !gone[cell]) return;
    tmem_say("memory is used after it was freed");
    tmem_crash();
}

static void point(void *what, void *pc) {
    patience = PATIENCE;
    if (--tmem_words[LEFT] <= 0) tmem_leave(REACHED, what, 0, pc);
}

/* A marked access: a switch point, and then the access itself, which must be of memory that is there. */
static void shared(uintptr_t a, int write, void *pc) {
    spun_at = NULL;
    if (tmem_words[ACCESSES]) point((void *)a, pc);
    look_whether_gone(a);
    order(a, write, pc);
}

static inline void plain(void *address, size_t size, int write, void *pc) {
    if (!me) return;
    if (--patience <= 0) {
        patience = PATIENCE;
        tmem_leave(SPIN, address, 0, pc);
    }
    if (tmem_words[LEARNING])
        for (size_t at = 0; at < size; at += 8) learn((uintptr_t)address + at, write, pc);
    if (matters(pc)) shared((uintptr_t)address, write, pc);
}

void tmem_lock_point(void *address, void *pc) {
    if (tmem_words[LEARNING]) learn((uintptr_t)address, WRITE, pc);
    if (matters(pc)) point(address, pc);
}

void tmem_yield(void *pc) {
    spins = 0;
    spun_at = NULL;
    tmem_leave(YIELD, NULL, 0, pc);
}

/* An access of a range counts as one of its first cell. */
void tmem_access(void *address, size_t size, int write, void *pc) {
    if (me && size) plain(address, size, write, pc);
}

/* Copies in halves, so that a copy that another thread gets into shows as a torn page. */
typedef void *copy(void *, const void *, size_t);
static void *halves(copy *copied, char *to, const char *from, size_t size, void *pc) {
    if (!me || !size) return copied(to, from, size);
    size_t half = size > 8 ? (size / 2) & ~(size_t)7 : 0, first = half ? half : size;
    if (to > from && to < from + size) half = 0, first = size; /* moved over itself */
    for (size_t at = 0, n = first; at < size; at += n, n = size - at) {
        tmem_access((char *)from + at, n, READ, pc);
        tmem_access(to + at, n, WRITE, pc);
        copied(to + at, from + at, n);
    }
    return to;
}
void *memcpy(void *to, const void *from, size_t size) { return halves(REAL(void *, "memcpy", void *, const void *, size_t), to, from, size, PC); }
void *memmove(void *to, const void *from, size_t size) { return halves(REAL(void *, "memmove", void *, const void *, size_t), to, from, size, PC); }
void *memset(void *to, int byte, size_t size) {
    size_t half = me && size > 8 ? (size / 2) & ~(size_t)7 : 0;
    if (half) {
        tmem_access(to, half, WRITE, PC);
        REAL(void *, "memset", void *, int, size_t)(to, byte, half);
    }
    tmem_access((char *)to + half, size - half, WRITE, PC);
    REAL(void *, "memset", void *, int, size_t)((char *)to + half, byte, size - half);
    return to;
}
int memcmp(const void *a, const void *b, size_t size) {
    tmem_access((void *)a, size, READ, PC);
    tmem_access((void *)b, size, READ, PC);
    return REAL(int, "memcmp", const void *, const void *, size_t)(a, b, size);
}
int bcmp(const void *a, const void *b, size_t size) { return memcmp(a, b, size); } /* what Rust calls */
void *__tsan_memcpy(void *to, const void *from, size_t size) { return halves(REAL(void *, "memcpy", void *, const void *, size_t), to, from, size, PC); }
void *__tsan_memmove(void *to, const void *from, size_t size) { return halves(REAL(void *, "memmove", void *, const void *, size_t), to, from, size, PC); }
void *__tsan_memset(void *to, int byte, size_t size) { return memset(to, byte, size); }

/* The calls of the instrumentation. */
void __tsan_init(void) {}
void __tsan_func_entry(void *pc) { (void)pc; }
void __tsan_func_exit(void) {}
#define SIZED(n)                                                                   \
    void __tsan_read##n(void *a) { plain(a, n, READ, PC); }                        \
    void __tsan_write##n(void *a) { plain(a, n, WRITE, PC); }                      \
    void __tsan_read_write##n(void *a) { plain(a, n, WRITE, PC); }                 \
    void __tsan_unaligned_read##n(void *a) { plain(a, n, READ, PC); }              \
    void __tsan_unaligned_write##n(void *a) { plain(a, n, WRITE, PC); }            \
    void __tsan_unaligned_read_write##n(void *a) { plain(a, n, WRITE, PC); }       \
    void __tsan_volatile_read##n(void *a) { plain(a, n, READ, PC); }               \
    void __tsan_volatile_write##n(void *a) { plain(a, n, WRITE, PC); }             \
    void __tsan_unaligned_volatile_read##n(void *a) { plain(a, n, READ, PC); }     \
    void __tsan_unaligned_volatile_write##n(void *a) { plain(a, n, WRITE, PC); }
SIZED(1) SIZED(2) SIZED(4) SIZED(8) SIZED(16)
void __tsan_read_range(void *a, size_t size) { tmem_access(a, size, READ, PC); }
void __tsan_write_range(void *a, size_t size) { tmem_access(a, size, WRITE, PC); }
void __tsan_vptr_read(void *a) { plain(a, 8, READ, PC); }
void __tsan_vptr_update(void *a, void *value) { (void)value; plain(a, 8, WRITE, PC); }

/* Atomics: switch points too. They order what comes before and after as far as their memory order says. */
static void before(void *a, void *pc) {
    if (!me) return;
    if (--patience <= 0) {
        patience = PATIENCE;
        tmem_leave(SPIN, a, 0, pc);
    }
    if (tmem_words[LEARNING]) learn((uintptr_t)a, WRITE, pc);
    if (tmem_words[ACCESSES] && matters(pc)) point(a, pc);
}

/* One that changed nothing, again and again at one place, spins: others get their turn. */
static void after(void *a, int changed, int order, void *pc) {
    if (!me) return;
    if (order || fences) tmem_atomic(a, order != 3, order != 1 && order != 2 && changed);
    if (changed || spun_at != a) {
        spun_at = changed ? NULL : a;
        spins = 0;
    } else if (++spins >= SPINS)
        tmem_yield(pc);
}
#define UPDATED(name, T, bits, code)                                                                    \
    T __tsan_atomic##bits##_##name(volatile T *a, T v, int order) {                                     \
        before((void *)a, PC);                                                                          \
        T old = code;                                                                                   \
        after((void *)a, *a != old, order, PC);                                                         \
        return old;                                                                                     \
    }
#define COMPARED(name, T, bits)                                                                         \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile T *a, T *expected, T v, int order, int failed) { \
        before((void *)a, PC);                                                                          \
        int done = __atomic_compare_exchange_n(a, expected, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);  \
        after((void *)a, done, done ? order : failed, PC);                                              \
        return done;                                                                                    \
    }
#define ATOMIC(bits, T)                                                                                 \
    T __tsan_atomic##bits##_load(const volatile T *a, int order) {                                      \
        before((void *)a, PC);                                                                          \
        T value = __atomic_load_n(a, __ATOMIC_SEQ_CST);                                                 \
        after((void *)a, 0, order, PC);                                                                 \
        return value;                                                                                   \
    }                                                                                                   \
    void __tsan_atomic##bits##_store(volatile T *a, T v, int order) {                                   \
        before((void *)a, PC);                                                                          \
        __atomic_store_n(a, v, __ATOMIC_SEQ_CST);                                                       \
        after((void *)a, 1, order, PC);                                                                 \
    }                                                                                                   \
    T __tsan_atomic##bits##_compare_exchange_val(volatile T *a, T expected, T v, int order, int failed) { \
        T seen = expected;                                                                              \
        before((void *)a, PC);                                                                          \
        int done = __atomic_compare_exchange_n(a, &seen, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);     \
        after((void *)a, done, done ? order : failed, PC);                                              \
        return seen;                                                                                    \
    }                                                                                                   \
    COMPARED(strong, T, bits) COMPARED(weak, T, bits)                                                   \
    UPDATED(exchange, T, bits, __atomic_exchange_n(a, v, __ATOMIC_SEQ_CST))                             \
    UPDATED(fetch_add, T, bits, __atomic_fetch_add(a, v, __ATOMIC_SEQ_CST))                             \
    UPDATED(fetch_sub, T, bits, __atomic_fetch_sub(a, v, __ATOMIC_SEQ_CST))                             \
    UPDATED(fetch_and, T, bits, __atomic_fetch_and(a, v, __ATOMIC_SEQ_CST))                             \
    UPDATED(fetch_or, T, bits, __atomic_fetch_or(a, v, __ATOMIC_SEQ_CST))                               \
    UPDATED(fetch_xor, T, bits, __atomic_fetch_xor(a, v, __ATOMIC_SEQ_CST))                             \
    UPDATED(fetch_nand, T, bits, __atomic_fetch_nand(a, v, __ATOMIC_SEQ_CST))
ATOMIC(8, uint8_t) ATOMIC(16, uint16_t) ATOMIC(32, uint32_t) ATOMIC(64, uint64_t)
void __tsan_atomic_thread_fence(int order) {
    (void)order;
    fences = 1;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int order) { (void)order; }
