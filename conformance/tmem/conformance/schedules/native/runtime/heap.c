/*
 * Memory of fibers. Each takes from its own slice, one piece after the other, so that addresses depend on what
 * the fiber itself did before, hardly on the schedule. What is freed is poisoned and kept aside until the
 * run ends: a page that is read after its free is no page that anybody put.
 */
#include "runtime.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { FRESH = 0xA5, POISON = 0xDB, LINE = 16 };
static const uint64_t HELD = 0x68656C6470696563, FREED = 0x6672656564207069;
struct piece { uint64_t size, state; };

extern char *tmem_base;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

/* What was freed in this run, so that it can be forgotten; of more than so much use after free goes unseen. */
enum { FREES = 1 << 16 };
static struct piece *freed[FREES];
static int frees;

void tmem_reset_heap(void) {
    while (frees) {
        struct piece *piece = freed[--frees];
        tmem_mark_gone(piece + 1, piece->size, 0);
    }
}

static int ours(void *p) { return tmem_base && (char *)p >= tmem_base && (char *)p < tmem_base + (size_t)FIBERS * SLICE; }

static void *take(size_t size, size_t align) {
    struct fiber *f = me;
    uintptr_t at = ((uintptr_t)f->heap + sizeof(struct piece) + align - 1) & ~(align - 1);
    if (size > SLICE || at + size + LINE > (uintptr_t)f->heap_end) {
        errno = ENOMEM;
        return NULL;
    }
    struct piece *piece = (struct piece *)at - 1;
    piece->size = size;
    piece->state = HELD;
    f->heap = (char *)((at + size + LINE - 1) & ~(uintptr_t)(LINE - 1));
    return (void *)at;
}

static void *fill(void *at, int byte, size_t size) {
    return at ? REAL(void *, "memset", void *, int, size_t)(at, byte, size) : NULL;
}

void *malloc(size_t size) {
    if (!me) return __libc_malloc(size);
    return fill(take(size, LINE), FRESH, size);
}
void *calloc(size_t count, size_t size) {
    if (!me) return __libc_calloc(count, size);
    if (size && count > SLICE / size) return errno = ENOMEM, NULL;
    return fill(take(count * size, LINE), 0, count * size);
}
void free(void *p) {
    if (!p) return;
    if (!ours(p)) {
        /* What was allocated before a run is there again in the next one: it must stay. */
        if (!me) __libc_free(p);
        return;
    }
    struct piece *piece = (struct piece *)p - 1;
    if (!me) return;
    if (piece->state != HELD) {
        tmem_say(piece->state == FREED ? "memory is freed twice" : "what is freed was never allocated");
        tmem_crash();
    }
    tmem_access(p, piece->size, 1, PC);
    piece->state = FREED;
    fill(p, POISON, piece->size);
    if (frees == FREES) return;
    freed[frees++] = piece;
    tmem_mark_gone(p, piece->size, 1);
}
void *realloc(void *p, size_t size) {
    if (!me) return ours(p) ? NULL : __libc_realloc(p, size);
    void *to = malloc(size);
    if (to && p) {
        size_t old = ours(p) ? ((struct piece *)p - 1)->size : size;
        memcpy(to, p, old < size ? old : size);
        free(p);
    }
    return to;
}
void *memalign(size_t align, size_t size) { return me ? fill(take(size, align < LINE ? LINE : align), FRESH, size) : __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }
int posix_memalign(void **p, size_t align, size_t size) {
    *p = memalign(align, size);
    return *p ? 0 : ENOMEM;
}
size_t malloc_usable_size(void *p) {
    if (ours(p)) return ((struct piece *)p - 1)->size;
    return REAL(size_t, "malloc_usable_size", void *)(p);
}
char *strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *to = malloc(size);
    return to ? memcpy(to, text, size) : NULL;
}

/* C++: new and delete are no calls of malloc where libstdc++ is linked from outside. */
void *_Znwm(size_t size) { return malloc(size); }
void *_Znam(size_t size) { return malloc(size); }
void *_ZnwmRKSt9nothrow_t(size_t size, void *nothrow) { (void)nothrow; return malloc(size); }
void *_ZnamRKSt9nothrow_t(size_t size, void *nothrow) { (void)nothrow; return malloc(size); }
void *_ZnwmSt11align_val_t(size_t size, size_t align) { return memalign(align, size); }
void *_ZnamSt11align_val_t(size_t size, size_t align) { return memalign(align, size); }
void _ZdlPv(void *p) { free(p); }
void _ZdaPv(void *p) { free(p); }
void _ZdlPvm(void *p, size_t size) { (void)size; free(p); }
void _ZdaPvm(void *p, size_t size) { (void)size; free(p); }
void _ZdlPvSt11align_val_t(void *p, size_t align) { (void)align; free(p); }
void _ZdlPvmSt11align_val_t(void *p, size_t size, size_t align) { (void)size, (void)align; free(p); }

/* Anonymous memory comes from the slice too, so that its accesses can be told apart. */
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    if (!me || file >= 0 || at || !(flags & MAP_PRIVATE))
        return REAL(void *, "mmap", void *, size_t, int, int, int, off_t)(at, size, protection, flags, file, offset);
    void *p = fill(take(size, 4096), 0, size);
    return p ? p : MAP_FAILED;
}
void *mmap64(void *at, size_t size, int protection, int flags, int file, off_t offset) { return mmap(at, size, protection, flags, file, offset); }
int munmap(void *at, size_t size) {
    if (!me || !ours(at)) return REAL(int, "munmap", void *, size_t)(at, size);
    fill(at, POISON, size);
    return 0;
}
